// What is shown: kept in one state, which the address of the page spells out.
(() => {
  const byId = (id) => document.getElementById(id);
  const PANELS = ["map", "beside"];
  const state = { clip: "", map: "", beside: "", opacity: 80, top: 10, truth: 1 };
  let study, clip;

  explorer.trouble = (error) => {
    byId("trouble").hidden = !error;
    byId("trouble").textContent = error ? error.message : "";
  };

  const title = (name) => {
    const [detector, explainer] = name.split("/");
    const several = Object.keys(study.detectors).length > 1;
    return (study.explainers[explainer] || explainer) + (several ? ` of ${study.detectors[detector] || detector}` : "");
  };

  const spell = () => {
    const words = new URLSearchParams(Object.entries(state).filter(([key]) => key !== "measure"));
    history.replaceState(null, "", `#${words}`);
  };

  const understand = () => {
    for (const [key, value] of new URLSearchParams(location.hash.slice(1)))
      if (key in state) state[key] = typeof state[key] === "number" ? Number(value) || 0 : value;
  };

  const caption = (map) => {
    if (!map) return "What the detector sees.";
    const said = [map.signed ? "Signed: red speaks for anomalous, blue for usual; the strongest by size." : "Unsigned: bright is relevant."];
    if (map.missing) said.push(`${map.missing} cells of the map are no numbers (NaN or infinite); they are flat grey.`);
    return said.join(" ");
  };

  // a sentence measured on the sound of what is marked; most clips have none
  const say = (where, begins, sentence) => {
    where.hidden = !sentence;
    where.textContent = sentence ? begins + sentence : "";
  };

  const drawPanel = (name) => {
    const panel = byId(`panel-${name}`);
    const map = clip.maps.get(state[name]);
    const what = map ? `Map ${title(state[name])} over the spectrogram` : "Spectrogram";
    const canvas = panel.querySelector(".picture canvas");
    draw.picture(canvas, clip, map, study.colours, state);
    canvas.setAttribute("aria-label", `${what} of ${clip.id}, ${draw.format(clip.seconds)} s`);
    draw.scales(panel, clip);
    draw.truth(panel.querySelector("svg.truth"), clip, state.truth);
    draw.curves(panel, clip, map);
    draw.bar(panel.querySelector(".bar canvas"), study.colours[map ? (map.signed ? "signed" : "map") : "input"]);
    const [low, high] = (map || clip).scale;
    panel.querySelector(".low").textContent = draw.format(low);
    panel.querySelector(".high").textContent = draw.format(high);
    panel.querySelector(".unit").textContent = map ? "relevance" : clip.unit;
    panel.querySelector("figcaption").textContent = caption(map);
    say(panel.querySelector(".says"), "What it marks: ", clip.sentences[state[name]]);
  };

  const drawScore = () => {
    const [detector] = state.map.split("/");
    const row = study.clips.find((one) => one.id === clip.id);
    const own = row.scores[detector];
    const machine = row.facts.machine || "";
    const normals = study.normals.find((one) => one.detector === detector && one.machine === machine);
    const name = study.detectors[detector] || detector;
    const known = own !== undefined && normals && normals.scores.length > 0;
    byId("scores").toggleAttribute("hidden", !known);
    if (!known) {
      byId("score").textContent = own === undefined ? "It was not scored." : `${name}: ${draw.format(own)}. No normal clip was scored.`;
      return;
    }
    draw.scores(byId("scores"), normals.scores, own);
    // a page holds so many scores at most, evenly by rank
    const below = Math.round((normals.n * normals.scores.filter((score) => score < own).length) / normals.scores.length);
    const words = `${name}: ${draw.format(own)}, above ${below} of the ${normals.n} normal test clips of ${machine || "the study"}`;
    byId("scores").setAttribute("aria-label", `Histogram of normal scores with a line at ${draw.format(own)}`);
    byId("score").textContent = `${words} (bars: normal clips, from ${draw.format(normals.scores[0])} to ${draw.format(normals.scores.at(-1))}; line: this clip).`;
  };

  const drawNumbers = () => {
    const row = study.clips.find((one) => one.id === clip.id);
    const names = [...new Set(PANELS.map((name) => state[name]))].filter((name) => row.values[name]);
    const table = byId("numbers").querySelector("table");
    byId("numbers").hidden = !names.length;
    const cell = (kind, words, facts = {}) => Object.assign(document.createElement(kind), { textContent: words, ...facts });
    const line = (cells) => {
      const made = document.createElement("tr");
      made.append(...cells);
      return made;
    };
    const printed = (value) => (value === null || value === undefined ? "–" : draw.format(value));
    table.tHead.replaceChildren(
      line([
        cell("th", "Metric", { scope: "col" }),
        ...names.flatMap((name) => [cell("th", title(name), { scope: "col", className: "number" }), cell("th", "chance", { scope: "col", className: "number" })]),
      ])
    );
    const lines = study.measures.map((measure, place) => {
      const values = names.map((name) => row.values[name][place]);
      if (values.every((value) => value === null)) return null;
      return line([
        cell("th", `${measure.title} ${measure.higher_is_better ? "↑" : "↓"}`, { scope: "row" }),
        ...names.flatMap((name, turn) => [
          cell("td", printed(values[turn]), { className: "number" }),
          cell("td", printed(clip.chance[name]?.[place]), { className: "number" }),
        ]),
      ]);
    });
    table.tBodies[0].replaceChildren(...lines.filter(Boolean));
  };

  const redraw = () => {
    for (const key of ["opacity", "top"]) {
      byId(key).value = state[key];
      byId(`${key}-says`).textContent = `${state[key]} %`;
    }
    byId("truth").checked = Boolean(state.truth);
    byId("truth").disabled = !clip.truth && !clip.events?.length;
    PANELS.forEach((name) => {
      byId(name).value = state[name];
      drawPanel(name);
    });
    say(byId("truth-says"), "What the true mask marks: ", state.truth ? clip.truth_says : "");
    drawScore();
    drawNumbers();
    spell();
  };

  const factsOf = (row) => {
    const said = Object.entries(study.facts).filter(([key]) => row.facts[key]);
    const words = said.map(([key, heading]) => `${heading.toLowerCase()} ${row.facts[key]}`);
    if (row.snr !== null) words.push(`SNR ${row.snr} dB`);
    if (!clip.events) words.push("events not labelled");
    else words.push(...clip.events.map((event) => `event ${draw.format(event.onset_s)} to ${draw.format(event.offset_s)} s`));
    return words.join(", ");
  };

  const ROLES = { clip: "the clip", fault: "its fault alone", marked: "what is marked by", left: "what is left by" };
  const soundWords = (sound) => ROLES[sound.role] + (sound.of ? ` ${title(sound.of)}` : "");

  const show = async () => {
    const wanted = state.clip;
    if (!study.clips.some((one) => one.id === wanted)) {
      explorer.trouble(new Error(`No clip '${wanted}' is shown here. Choose one from the list.`));
      return;
    }
    try {
      const read = await data.read(wanted);
      // somebody may have gone on in the meantime
      if (wanted !== state.clip) return;
      clip = read;
    } catch (error) {
      explorer.trouble(error);
      return;
    }
    explorer.trouble(null);
    const row = study.clips.find((one) => one.id === clip.id);
    byId("clip").hidden = false;
    byId("name").textContent = clip.id.replaceAll("_", "_\u200b");
    byId("known").textContent = factsOf(row);
    redraw();
    player.show(clip, soundWords);
    list.mark(false);
  };

  const choose = (id) => {
    state.clip = id;
    spell();
    return show();
  };

  const change = (key, value) => {
    state[key] = value;
    redraw();
    if (key === "map") list.draw();
  };

  // time and place of a pointer on a picture
  const where = (event) => {
    const box = event.currentTarget.getBoundingClientRect();
    const within = (part) => Math.max(0, Math.min(1 - 1e-9, part));
    const [x, y] = [within((event.clientX - box.left) / box.width), within((box.bottom - event.clientY) / box.height)];
    return { time: x * clip.seconds, column: Math.floor(x * clip.columns), row: Math.floor(y * clip.rows) };
  };

  const tell = (name, event) => {
    const { time, column, row } = where(event);
    const cell = row * clip.columns + column;
    const value = ([low, high], byte) => (byte ? draw.format(low + ((byte - 1) / 254) * (high - low)) : "no number");
    const map = clip.maps.get(state[name]);
    const words = [`${time.toFixed(2)} s`, draw.hertz(clip.frequencies[row]), `level ${value(clip.scale, clip.cells[cell])}`];
    if (map) words.push(`relevance ${value(map.scale, map.cells[cell])}`);
    byId("reading").textContent = words.join(" · ");
  };

  const follow = (name) => {
    const picture = byId(`panel-${name}`).querySelector(".picture");
    let from = null;
    picture.addEventListener("pointerdown", (event) => {
      from = event.button === 0 ? { x: event.clientX, time: where(event).time } : null;
    });
    picture.addEventListener("pointermove", (event) => {
      tell(name, event);
      const dragged = from && Math.abs(event.clientX - from.x) > 4;
      if (!dragged) return;
      picture.setPointerCapture(event.pointerId);
      const { time } = where(event);
      player.mark(Math.min(time, from.time), Math.max(time, from.time));
    });
    picture.addEventListener("pointerup", (event) => {
      if (from && Math.abs(event.clientX - from.x) <= 4) player.seek(from.time, true);
      from = null;
    });
    picture.addEventListener("pointercancel", () => (from = null));
  };

  const next = (way) => {
    const names = [...byId("map").options].map((option) => option.value);
    change("map", names[(names.indexOf(state.map) + way + names.length) % names.length]);
  };

  const keys = {
    ArrowUp: () => list.step(-1),
    ArrowDown: () => list.step(1),
    e: () => next(1),
    E: () => next(-1),
    t: () => change("truth", 1 - state.truth),
  };

  const listen = () => {
    for (const key of ["opacity", "top"]) byId(key).addEventListener("input", (event) => change(key, Number(event.target.value)));
    byId("truth").addEventListener("change", (event) => change("truth", Number(event.target.checked)));
    for (const name of PANELS) {
      byId(name).addEventListener("change", (event) => change(name, event.target.value));
      follow(name);
    }
    byId("clip").addEventListener("keydown", (event) => {
      if (event.target.closest("input, select, audio, button, summary, a, #keys") || event.ctrlKey || event.metaKey || event.altKey) return;
      if (keys[event.key]) keys[event.key]();
      else if (!player.key(event.key)) return;
      event.preventDefault();
    });
    byId("list").addEventListener("click", (event) => {
      const link = event.target.closest("a");
      if (!link) return;
      event.preventDefault();
      choose(link.dataset.clip).then(() => byId("clip").focus());
    });
    addEventListener("hashchange", () => {
      understand();
      show();
    });
  };

  explorer.onstudy = (read) => {
    study = read;
    const names = Object.keys(study.detectors).flatMap((detector) => Object.keys(study.explainers).map((one) => `${detector}/${one}`));
    [state.clip, state.map] = [study.clips[0].id, names[0] || ""];
    understand();
    const options = names.map((name) => new Option(title(name), name));
    byId("map").append(...options);
    byId("beside").append(new Option("the spectrogram alone", ""), ...options.map((option) => option.cloneNode(true)));
    const [rows, columns] = study.joined;
    const told = [];
    if (rows * columns > 1) told.push(`To save room, a cell shown is the mean of ${rows} frequencies by ${columns} frames of the map.`);
    if (study.left_out) told.push(`${study.left_out} more explained clips are left out: there was no room for them.`);
    byId("room").hidden = !told.length;
    byId("room").textContent = told.join(" ");
    list.begin(study, state, choose);
    listen();
    show();
  };
})();
