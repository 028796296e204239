// Asks one question after the other, and saves the answers as a file. Nothing leaves the page by itself.
(() => {
  const at = (id) => document.getElementById(id);
  const made = (id) => at(id).content.firstElementChild.cloneNode(true);
  const show = (id) => {
    for (const name of ["consent", "question", "done"]) at(name).hidden = name !== id;
    window.scrollTo(0, 0);
  };
  const OTHER = { a: "b", b: "a" };
  let study = null;
  let form = 0;
  let answers = [];
  let rater = "";
  let began = "";
  let started = 0;
  let plays = {};
  let saved = true;

  const trouble = (error) => {
    at("trouble").textContent = error.message;
    at("trouble").hidden = false;
  };

  const KIND = { sound: "Sound", map: "Map" };

  const current = () => {
    const [name, left] = study.forms[form][answers.length];
    return { name, left, sides: [left, OTHER[left]], ...study.questions[name] };
  };

  // sounds that are an answer stand by sides, the others as they come
  const sounds = (question) => {
    const options = question.sounds.filter((sound) => sound.option);
    const ordered = question.sides.flatMap((side) => options.filter((sound) => sound.option === side));
    plays = {};
    return [...question.sounds.filter((sound) => !sound.option), ...ordered].map((sound) => {
      const row = made("sound");
      const label = sound.option ? `Sound ${1 + question.sides.indexOf(sound.option)}` : sound.label;
      const audio = row.querySelector("audio");
      row.querySelector("span").textContent = label;
      audio.setAttribute("aria-label", label);
      audio.src = `clips/${encodeURIComponent(sound.file)}`;
      audio.addEventListener("play", () => {
        plays[sound.file] = (plays[sound.file] || 0) + 1;
        for (const other of document.querySelectorAll("audio")) if (other !== audio) other.pause();
        ready(question);
      });
      return row;
    });
  };

  // an answer about two sounds waits until both were heard
  const ready = (question) => {
    const waits = question.sounds.some((sound) => sound.option && !plays[sound.file]);
    for (const input of document.querySelectorAll("#options input")) input.disabled = waits;
    at("waiting").textContent = waits ? "Play both sounds; then you can answer." : "";
    at("next").disabled = !document.querySelector("#options input:checked");
  };

  const options = (question) =>
    question.sides.map((side, place) => {
      const row = made("option");
      row.querySelector("input").value = side;
      row.querySelector("input").addEventListener("change", () => ready(question));
      row.querySelector("span").textContent = question.options ? question.options[side] : `${KIND[question.kind]} ${1 + place}`;
      return row;
    });

  // a map holds relevance where it is to be shown, and none elsewhere: below 100 % the rest stays grey
  const LOOK = { top: 99.99, opacity: 85 };
  const panel = (clip, key, title) => {
    const figure = made("panel");
    figure.querySelector("figcaption").textContent = title;
    const canvas = figure.querySelector("canvas");
    canvas.setAttribute("aria-label", `${title}: frequency upwards, time to the right`);
    draw.picture(canvas, clip, key ? clip.maps.get(key) : null, study.colours, LOOK);
    draw.scales(figure, clip);
    return figure;
  };

  const panels = async (question) => {
    if (!question.maps) return [];
    const clip = await data.read(question.name);
    const titles = question.kind === "map" ? (place) => `Map ${1 + place}` : () => "What is replaced";
    const keys = question.sides.filter((side) => question.maps.includes(side));
    return [
      panel(clip, null, "The clip"),
      ...keys.map((side, place) => panel(clip, `map/${side}`, titles(place))),
    ];
  };

  const ask = async () => {
    const question = current();
    const pictures = await panels(question);
    const total = study.forms[form].length;
    at("progress").textContent = `Question ${answers.length + 1} of ${total}`;
    [at("bar").value, at("bar").max] = [answers.length, total];
    at("prompt").textContent = question.prompt;
    at("note").textContent = question.note;
    at("sounds").replaceChildren(...sounds(question));
    at("panels").replaceChildren(...pictures);
    at("options").replaceChildren(...options(question));
    ready(question);
    show("question");
    at("prompt").focus();
    started = performance.now();
  };

  const finish = () => {
    show("done");
    at("sounds").replaceChildren();
    at("done-title").focus();
  };

  const file = () => ({
    format: study.format,
    study: study.study,
    digest: study.digest,
    rater,
    consent: true,
    form,
    began,
    answers,
  });

  at("begin").addEventListener("submit", (event) => {
    event.preventDefault();
    rater = at("rater").value;
    // neighbouring codes get neighbouring forms, so that forms are shown about equally often
    form = [...rater].reduce((sum, letter) => sum + letter.codePointAt(0), 0) % study.forms.length;
    began = new Date().toISOString();
    saved = false;
    ask().catch(trouble);
  });

  at("answer").addEventListener("submit", (event) => {
    event.preventDefault();
    const chosen = document.querySelector("#options input:checked");
    if (!chosen) return;
    const { name, sides } = current();
    // until the next question is there nothing can be answered, not twice either
    at("options").replaceChildren();
    at("next").disabled = true;
    answers.push({
      question: name,
      choice: chosen.value,
      side: chosen.value === sides[0] ? "left" : "right",
      seconds: Math.round(performance.now() - started) / 1000,
      plays: Object.values(plays).reduce((sum, count) => sum + count, 0),
    });
    if (answers.length < study.forms[form].length) ask().catch(trouble);
    else finish();
  });

  at("save").addEventListener("click", () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([JSON.stringify(file(), null, 1)], { type: "application/json" }));
    link.download = `answers-${study.digest}-${rater}.json`;
    link.click();
    saved = true;
    at("saved").textContent = `Saved as ${link.download}, where your browser keeps what it downloads.`;
  });

  window.addEventListener("beforeunload", (event) => {
    if (!saved) event.preventDefault();
  });

  explorer.onstudy = (told) => {
    study = told;
  };
})();
