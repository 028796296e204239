"use strict";
// Reads what lies beside the page. A page from disk may fetch nothing, so data are scripts that call `explorer`.
const explorer = { onstudy: null, onclip: null };
explorer.study = (study) => explorer.onstudy(study);
explorer.clip = (clip) => explorer.onclip(clip);

const data = (() => {
  // the order of the parts is that of soundproof/explorer/cells.py
  const parts = (clip, block) => {
    const [rows, columns] = [clip.frequencies.length, clip.frames];
    let place = 0;
    const next = (length) => block.subarray(place, (place += length));
    const read = { ...clip, rows, columns, seconds: columns / clip.rate, cells: next(rows * columns) };
    read.truth = clip.mask ? next(rows * columns) : null;
    read.maps = new Map(
      clip.maps.map((map) => [
        `${map.detector}/${map.explainer}`,
        { ...map, cells: next(rows * columns), frames: next(columns), bands: next(rows) },
      ])
    );
    return read;
  };

  const unpacked = async (clip) => {
    const bytes = Uint8Array.from(atob(clip.block), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return parts(clip, new Uint8Array(await new Response(stream).arrayBuffer()));
  };

  const read = (id) =>
    new Promise((done, failed) => {
      const script = document.createElement("script");
      explorer.onclip = (clip) => clip.id === id && unpacked(clip).then(done, failed);
      script.src = `clips/${encodeURIComponent(id)}.js`;
      script.onload = () => script.remove();
      script.onerror = () => {
        script.remove();
        failed(new Error(`The file of this clip is missing: clips/${id}.js. Copy the page with its whole folder.`));
      };
      document.head.append(script);
    });

  return { read };
})();
