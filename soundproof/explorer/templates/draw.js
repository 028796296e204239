// Pictures: a map over a spectrogram, its scales in Hz and seconds, the truth, curves over time and frequency.
const draw = (() => {
  const MISSING = [150, 150, 150];
  const SVG = "http://www.w3.org/2000/svg";
  const format = (value) => String(Number(value.toPrecision(3)));
  const hertz = (value) => (value >= 1000 ? `${format(value / 1000)} kHz` : `${format(value)} Hz`);
  const share = (part) => `${100 * part}%`;

  const shape = (name, facts) => {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(facts)) made.setAttribute(key, value);
    return made;
  };

  const colours = (digits) =>
    Uint8Array.from(digits.match(/../g), (pair) => parseInt(pair, 16));

  // how far a byte is from no relevance; byte 0 is no number
  const strength = (map, byte) => (byte === 0 ? -1 : map.signed ? Math.abs(byte - 128) : byte - 1);

  // least strength among the strongest `top` percent of the cells; a cell without relevance is not among them
  const least = (map, top) => {
    if (top >= 100) return 0;
    const counts = new Uint32Array(256);
    for (const byte of map.cells) if (byte) counts[strength(map, byte)] += 1;
    let room = (top / 100) * map.cells.length;
    let found = 255;
    while (found > 1 && counts[found] <= room) room -= counts[found--];
    return counts[found] <= room ? found : found + 1;
  };

  const picture = (canvas, clip, map, tables, { top, opacity }) => {
    const { rows, columns } = clip;
    [canvas.width, canvas.height] = [columns, rows];
    const context = canvas.getContext("2d");
    const image = context.createImageData(columns, rows);
    const below = colours(tables[map ? "below" : "input"]);
    const above = map && colours(tables[map.signed ? "signed" : "map"]);
    const from = map && least(map, top);
    const part = map ? opacity / 100 : 0;
    for (let row = 0; row < rows; row += 1) {
      for (let column = 0; column < columns; column += 1) {
        const cell = row * columns + column;
        // low frequencies lie at the bottom
        const pixel = 4 * ((rows - 1 - row) * columns + column);
        const own = map ? map.cells[cell] : 0;
        const shown = map && (own === 0 || strength(map, own) >= from);
        for (let channel = 0; channel < 3; channel += 1) {
          const under = clip.cells[cell] ? below[3 * clip.cells[cell] + channel] : MISSING[channel];
          const over = own ? above && above[3 * own + channel] : MISSING[channel];
          image.data[pixel + channel] = shown ? part * over + (1 - part) * under : under;
        }
        image.data[pixel + 3] = 255;
      }
    }
    context.putImageData(image, 0, 0);
  };

  const bar = (canvas, digits) => {
    const context = canvas.getContext("2d");
    const image = context.createImageData(256, 1);
    colours(digits).forEach((value, place) => {
      image.data[4 * Math.floor(place / 3) + (place % 3)] = value;
      image.data[4 * Math.floor(place / 3) + 3] = 255;
    });
    context.putImageData(image, 0, 0);
  };

  // row of a frequency, fractions between the centres of two
  const rowOf = (clip, frequency) => {
    const { frequencies, rows } = clip;
    const after = frequencies.findIndex((centre) => centre >= frequency);
    if (after === 0) return 0;
    if (after < 0) return rows;
    const [low, high] = [frequencies[after - 1], frequencies[after]];
    return after - 0.5 + (frequency - low) / (high - low);
  };

  const steps = (top, wanted) => {
    const power = 10 ** Math.floor(Math.log10(top / wanted));
    return power * [1, 2, 5, 10].find((factor) => top / (factor * power) <= wanted);
  };

  const tick = (text, style) => {
    const made = document.createElement("span");
    made.textContent = text;
    Object.assign(made.style, style);
    return made;
  };

  const scales = (panel, clip) => {
    const ticks = [];
    let taken = -1;
    for (const frequency of [20, 50, 100, 200, 500, 1000, 2000, 4000, 8000, 12000, 16000, 20000, 30000, 40000]) {
      const place = rowOf(clip, frequency) / clip.rows;
      const within = frequency >= clip.frequencies[0] && frequency <= clip.frequencies[clip.rows - 1];
      if (!within || place - taken < 0.09) continue;
      taken = place;
      ticks.push(tick(hertz(frequency), { bottom: share(place) }));
    }
    panel.querySelector(".hz").replaceChildren(...ticks);
    const step = steps(clip.seconds, 6);
    const times = Array.from({ length: Math.floor(clip.seconds / step + 1e-9) + 1 }, (_, count) => count * step);
    panel.querySelector(".seconds").replaceChildren(
      ...times.map((time) => tick(`${format(time)} s`, { left: share(time / clip.seconds) }))
    );
  };

  const outline = ({ truth, rows, columns }) => {
    const at = (row, column) => row >= 0 && column >= 0 && row < rows && column < columns && truth[row * columns + column] === 1;
    let path = "";
    for (let row = 0; row <= rows; row += 1) {
      for (let column = 0; column <= columns; column += 1) {
        const [x, y] = [column, rows - row];
        if (at(row, column) !== at(row - 1, column) && column < columns) path += `M${x} ${y}h1`;
        if (at(row, column) !== at(row, column - 1) && row < rows) path += `M${x} ${y}v-1`;
      }
    }
    return path;
  };

  const truth = (svg, clip, wanted) => {
    svg.setAttribute("viewBox", `0 0 ${clip.columns} ${clip.rows}`);
    const shapes = [];
    for (const event of (wanted && clip.events) || []) {
      const known = event.low_hz !== null && event.high_hz !== null;
      const [low, high] = known ? [rowOf(clip, event.low_hz), rowOf(clip, event.high_hz)] : [0, clip.rows];
      const box = {
        x: event.onset_s * clip.rate,
        width: (event.offset_s - event.onset_s) * clip.rate,
        y: clip.rows - high,
        height: high - low,
      };
      shapes.push(shape("rect", { ...box, class: "halo" }), shape("rect", { ...box, class: "event" }));
    }
    // a halo would hide what scattered cells enclose
    if (wanted && clip.truth) shapes.push(shape("path", { d: outline(clip), class: "mask" }));
    svg.replaceChildren(...shapes);
  };

  // mean level of each frame and each row, as bytes
  const levels = ({ cells, rows, columns }) => {
    const [frames, bands] = [new Float64Array(columns), new Float64Array(rows)];
    cells.forEach((byte, cell) => {
      frames[cell % columns] += byte / rows;
      bands[Math.floor(cell / columns)] += byte / columns;
    });
    return { frames, bands, curves: [[0, 0], [0, 0]] };
  };

  const curves = (panel, clip, map) => {
    const { frames, bands, curves: ends } = map || levels(clip);
    const zero = ([low, high]) => (high > low ? 1 + (254 * -low) / (high - low) : 1);
    const lines = [
      [".frames", `0 0 ${clip.columns} 256`, [...frames].map((byte, frame) => `${frame + 0.5} ${255 - byte}`)],
      [".bands", `0 0 256 ${clip.rows}`, [...bands].map((byte, row) => `${byte} ${clip.rows - row - 0.5}`)],
    ];
    const zeros = [`M0 ${255 - zero(ends[0])}H${clip.columns}`, `M${zero(ends[1])} 0V${clip.rows}`];
    const what = map ? "sum of the map" : "mean level";
    for (const [place, [name, box, points]] of lines.entries()) {
      const svg = panel.querySelector(name);
      svg.setAttribute("viewBox", box);
      svg.setAttribute("aria-label", `${what} ${place ? "of each frequency" : "over time"}`);
      svg.replaceChildren(shape("path", { d: zeros[place], class: "zero" }), shape("polyline", { points: points.join(" ") }));
    }
  };

  const scores = (svg, normals, own) => {
    const [low, high] = [Math.min(normals[0], own), Math.max(normals[normals.length - 1], own)];
    const place = (score) => (high > low ? (100 * (score - low)) / (high - low) : 50);
    const counts = new Array(40).fill(0);
    for (const score of normals) counts[Math.min(39, Math.floor(0.4 * place(score)))] += 1;
    const most = Math.max(...counts);
    const bars = counts.map((count, bin) =>
      shape("rect", { x: 2.5 * bin, width: 2.3, y: 40 - (38 * count) / most, height: (38 * count) / most })
    );
    svg.replaceChildren(...bars, shape("path", { d: `M${place(own)} 0V40`, class: "own" }));
  };

  return { picture, bar, scales, truth, curves, scores, format, hertz, share };
})();
