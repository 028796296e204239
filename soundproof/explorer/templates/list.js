// The list of clips: filters, order, and the row of the clip that is shown.
const list = (() => {
  const byId = (id) => document.getElementById(id);
  let study, state, chosen;
  let order = { key: "", down: false };

  const text = (clip, key) => (key === "snr" ? (clip.snr === null ? "" : `${clip.snr} dB`) : clip.facts[key] || "");
  const measure = () => study.measures.findIndex((one) => one.name === state.measure);

  const columns = () => {
    const place = measure();
    const [detector] = state.map.split("/");
    const found = [{ key: "id", title: "Clip", of: (clip) => clip.id }];
    for (const [key, title] of [["anomaly_type", "Fault"], ["snr", "SNR"]])
      if (study.clips.some((clip) => text(clip, key)))
        found.push({ key, title, of: (clip) => (key === "snr" ? clip.snr : text(clip, key)), shown: (clip) => text(clip, key) });
    found.push({ key: "score", title: "Score", number: true, of: (clip) => clip.scores[detector] ?? null });
    if (place >= 0)
      found.push({
        key: "measure",
        title: study.measures[place].title,
        number: true,
        of: (clip) => clip.values[state.map]?.[place] ?? null,
      });
    return found;
  };

  const filters = () => [...byId("filters").querySelectorAll("select[data-key]")].filter((one) => one.value);
  const fits = (clip) => filters().every((one) => text(clip, one.dataset.key) === one.value);

  const rows = () => {
    const found = study.clips.filter(fits);
    const column = columns().find((one) => one.key === order.key);
    if (!column) return found;
    const sign = order.down ? -1 : 1;
    // what is missing comes last, whichever way is up
    return found.sort((a, b) => {
      const [x, y] = [column.of(a), column.of(b)];
      if (x === null || y === null) return (x === null) - (y === null);
      return sign * (typeof x === "number" ? x - y : x.localeCompare(y, "en", { numeric: true }));
    });
  };

  const heading = (column) => {
    const [cell, button] = [document.createElement("th"), document.createElement("button")];
    const here = order.key === column.key;
    cell.scope = "col";
    cell.className = column.number ? "number" : "";
    cell.setAttribute("aria-sort", here ? (order.down ? "descending" : "ascending") : "none");
    button.type = "button";
    button.textContent = column.title;
    button.addEventListener("click", () => {
      // up, down, as it came
      order = !here ? { key: column.key, down: false } : order.down ? { key: "", down: false } : { ...order, down: true };
      draw_();
      [...byId("list").tHead.rows[0].cells].find((one) => one.textContent === column.title).firstChild.focus();
    });
    cell.append(button);
    return cell;
  };

  const row = (clip, shown) => {
    const made = document.createElement("tr");
    for (const column of shown) {
      const cell = document.createElement("td");
      const value = column.shown ? column.shown(clip) : column.of(clip);
      if (column.key === "id") {
        const link = document.createElement("a");
        link.href = `#${new URLSearchParams({ clip: clip.id })}`;
        link.textContent = clip.id.replaceAll("_", "_\u200b");
        link.dataset.clip = clip.id;
        if (clip.id === state.clip) link.setAttribute("aria-current", "true");
        cell.append(link);
      } else cell.textContent = value === null || value === "" ? "–" : typeof value === "number" ? draw.format(value) : value;
      if (column.number) cell.className = "number";
      made.append(cell);
    }
    return made;
  };

  const draw_ = () => {
    const shown = columns();
    const found = rows();
    byId("list").tHead.rows[0].replaceChildren(...shown.map(heading));
    byId("list").tBodies[0].replaceChildren(...found.map((clip) => row(clip, shown)));
    const all = study.clips.length;
    byId("count").textContent = found.length === all ? `${all}` : `${found.length} of ${all}`;
  };

  const select = (title, options, key) => {
    const [label, made] = [document.createElement("label"), document.createElement("select")];
    made.append(...options.map(([value, words]) => new Option(words, value)));
    if (key) made.dataset.key = key;
    label.append(`${title} `, made);
    byId("filters").append(label);
    return made;
  };

  const begin = (of, shared, choose) => {
    [study, state, chosen] = [of, shared, choose];
    document.body.classList.toggle("single", study.clips.length === 1);
    for (const [key, title] of [...Object.entries(study.facts), ["snr", "SNR"]]) {
      const values = [...new Set(study.clips.map((clip) => text(clip, key)))].filter(Boolean);
      const several = values.length > 1 || (values.length === 1 && study.clips.some((clip) => !text(clip, key)));
      values.sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
      if (several) select(title, [["", "all"], ...values.map((value) => [value, value])], key).addEventListener("change", draw_);
    }
    if (study.measures.length) {
      const made = select("Number", study.measures.map((one) => [one.name, one.title]));
      made.id = "measure";
      made.addEventListener("change", () => {
        state.measure = made.value;
        draw_();
      });
      state.measure = made.value;
    }
    byId("filters").addEventListener("submit", (event) => event.preventDefault());
    byId("rows").addEventListener("keydown", (event) => {
      const way = { ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (!way) return;
      event.preventDefault();
      step(way);
      mark(true);
    });
    draw_();
  };

  // the row of the clip that is shown
  const mark = (focus) => {
    for (const link of byId("list").querySelectorAll("a")) {
      const here = link.dataset.clip === state.clip;
      here ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current");
      if (here) focus ? link.focus() : link.closest("tr").scrollIntoView({ block: "nearest" });
    }
  };

  const step = (way) => {
    const found = rows();
    const place = found.findIndex((clip) => clip.id === state.clip) + way;
    if (found[place]) chosen(found[place].id);
  };

  return { begin, draw: draw_, mark, step };
})();
