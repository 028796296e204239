// Sound: wavesurfer.js draws the waveform, plays and repeats a stretch; cursor and stretch show on the pictures too.
const player = (() => {
  const byId = (id) => document.getElementById(id);
  const COLOUR = "rgba(213, 94, 0, 0.25)";
  let waves, regions, clip, sounds;
  // where the sound is to be; null: it is there. The library forgets a seek that comes while it loads or seeks
  let due = null;

  const pictures = () => document.querySelectorAll(".picture");
  const stretch = () => regions && regions.getRegions()[0];
  const chosen = () => sounds[byId("sound").value];
  const now = () => due ?? waves.getCurrentTime();

  const move = (time) => {
    for (const picture of pictures()) {
      const cursor = picture.querySelector(".cursor");
      cursor.hidden = !sounds.length;
      cursor.style.left = draw.share(Math.min(1, time / clip.seconds));
    }
  };

  const outline = () => {
    const marked = stretch();
    for (const picture of pictures()) {
      const shown = picture.querySelector(".stretch");
      shown.hidden = !marked;
      if (!marked) continue;
      shown.style.left = draw.share(marked.start / clip.seconds);
      shown.style.width = draw.share((marked.end - marked.start) / clip.seconds);
    }
  };

  const play = () => waves.play().catch((error) => error.name === "AbortError" || explorer.trouble(error));

  const mark = (start, end) => {
    regions.clearRegions();
    regions.addRegion({ start: Math.max(0, start), end: Math.min(end, chosen().seconds), color: COLOUR });
    outline();
  };

  const arrive = () => {
    if (due === null) return;
    // what plays has gone on since it arrived
    const off = waves.getCurrentTime() - due;
    if (off > -0.01 && off < (waves.isPlaying() ? 0.2 : 0.01)) due = null;
    else waves.setTime(due);
  };

  const begin = () => {
    const ink = getComputedStyle(document.body);
    regions = WaveSurfer.Regions.create();
    waves = WaveSurfer.create({
      container: "#strip",
      media: byId("audio"),
      height: 56,
      waveColor: ink.getPropertyValue("--soft"),
      progressColor: ink.getPropertyValue("--link"),
      cursorColor: ink.getPropertyValue("--ink"),
      cursorWidth: 2,
      normalize: true,
      plugins: [regions],
    });
    regions.enableDragSelection({ color: COLOUR });
    regions.on("region-created", (made) => {
      for (const other of regions.getRegions()) if (other !== made) other.remove();
      outline();
    });
    for (const event of ["region-update", "region-updated", "region-removed"]) regions.on(event, outline);
    regions.on("region-out", (marked) => byId("loop").checked && waves.isPlaying() && waves.setTime(marked.start));
    waves.on("timeupdate", move);
    waves.on("interaction", play);
    // a stretch that ends with the sound is never left
    waves.on("finish", () => {
      const marked = stretch();
      if (!marked || !byId("loop").checked || marked.end < waves.getDuration() - 0.1) return;
      waves.setTime(marked.start);
      play();
    });
    byId("audio").addEventListener("seeked", arrive);
    byId("sound").addEventListener("change", () => load(now()));
  };

  const load = (time) => {
    const sound = chosen();
    const playing = waves.isPlaying();
    due = time;
    waves
      .load(`clips/${encodeURIComponent(sound.file)}`, [sound.peaks], sound.seconds)
      .then(() => {
        // somebody may have chosen another sound in the meantime
        if (chosen() !== sound) return;
        waves.setTime(due ?? time);
        if (playing) play();
      })
      .catch((error) => error.name === "AbortError" || explorer.trouble(error));
  };

  // `words` names a sound
  const show = (of, words) => {
    if (!waves) begin();
    waves.pause();
    [clip, sounds] = [of, of.sounds];
    byId("player").hidden = !sounds.length;
    byId("silent").hidden = !clip.silent;
    byId("silent").textContent = clip.silent && (sounds.length ? clip.silent : `Nothing to hear: ${clip.silent}.`);
    byId("sound").replaceChildren(...sounds.map((sound, place) => new Option(words(sound), place)));
    byId("sound").disabled = sounds.length < 2;
    regions.clearRegions();
    outline();
    move(0);
    if (sounds.length) load(0);
  };

  const seek = (time, on) => {
    if (!sounds.length) return;
    const to = Math.max(0, Math.min(time, chosen().seconds));
    due = to;
    waves.setTime(to);
    move(to);
    if (on) play();
  };

  const key = (name) => {
    if (!sounds?.length) return false;
    const at = now();
    const marked = stretch();
    const keys = {
      " ": () => (waves.isPlaying() ? waves.pause() : play()),
      ArrowLeft: () => seek(at - 0.25),
      ArrowRight: () => seek(at + 0.25),
      "[": () => mark(at, marked && marked.end > at ? marked.end : chosen().seconds),
      "]": () => mark(marked && marked.start < at ? marked.start : 0, at),
      Escape: () => regions.clearRegions(),
    };
    keys[name]?.();
    return name in keys;
  };

  return { show, seek, mark: (start, end) => sounds.length && mark(start, end), key };
})();
