// Files go to the server in pieces and go on where they stopped; without scripts the plain form
// sends them whole.
"use strict";
(() => {
  const form = document.getElementById("upload"), list = document.getElementById("way"), take = document.getElementById("arrived");
  if (!form || !window.tus || !tus.isSupported) return;
  const text = list.dataset, AT_ONCE = 3, PIECE = 1 << 20;
  const RETRY = [0, 500, 1000, 2000, 4000, 8000, 15000, 30000, 30000];
  const rows = []; // of this visit, in the order of the copy
  let running = 0;

  const status = (err) => (err.originalResponse ? err.originalResponse.getStatus() : 0);
  const words = (err) => {
    try { return JSON.parse(err.originalResponse.getBody())[document.documentElement.lang === "en" ? "en" : "vi"]; } catch { return text.broken; }
  };
  const show = (row, state, note) => {
    row.state = state;
    row.li.dataset.state = state;
    row.li.querySelector(".note").textContent = note;
    row.li.querySelector(".again").hidden = state !== "failed";
  };
  const percent = (sent, size) => (size ? Math.floor(100 * sent / size) : 100);
  const progress = (row, sent, size) => {
    row.li.querySelector("progress").value = percent(sent, size);
    row.li.querySelector(".note").textContent = percent(sent, size) + " %";
  };

  // A file that was on its way before a reload is found by what the browser knows of it.
  const before = (file) => [...list.querySelectorAll("li[data-upload]")].find((li) => !li.dataset.used &&
    li.dataset.name === file.name && Number(li.dataset.size) === file.size && Number(li.dataset.modified) === file.lastModified);

  const add = (file) => {
    let li = before(file);
    if (li) {
      li.dataset.used = "yes";
    } else {
      li = document.getElementById("row").content.firstElementChild.cloneNode(true);
      li.querySelector(".name").textContent = file.name;
      list.append(li);
    }
    const row = { li, file, url: li.dataset.upload ? form.dataset.tus + "/" + li.dataset.upload : null };
    rows.push(row);
    li.querySelector(".again").addEventListener("click", () => { show(row, "waiting", text.waiting); next(); });
    li.querySelector(".drop").addEventListener("submit", async (e) => {
      e.preventDefault();
      rows.splice(rows.indexOf(row), 1);
      li.remove();
      if (row.state === "sending") running--;
      if (row.upload) try { await row.upload.abort(true); } catch { /* it expires by itself */ }
      next();
    });
    show(row, "waiting", text.waiting);
  };

  const send = (row) => {
    running++;
    show(row, "sending", "0 %");
    row.upload = new tus.Upload(row.file, {
      endpoint: form.dataset.tus, uploadUrl: row.url, chunkSize: PIECE, retryDelays: RETRY, storeFingerprintForResuming: false,
      metadata: { filename: row.file.name, modified: String(row.file.lastModified) }, headers: { Accept: "application/problem+json" },
      onShouldRetry: (err) => [0, 409, 423, 429].includes(status(err)) || status(err) >= 500,
      onProgress: (sent, size) => progress(row, sent, size),
      onSuccess: () => { progress(row, 1, 1); done(row, "arrived", text.arrived); },
      onError: (err) => done(row, "failed", words(err)),
    });
    row.upload.start();
  };

  const done = (row, state, note) => {
    if (!rows.includes(row)) return; // given up meanwhile
    running--;
    row.url = row.upload.url;
    show(row, state, note);
    next();
  };

  const next = () => {
    for (const row of rows) if (row.state === "waiting" && running < AT_ONCE) send(row);
    if (running === 0 && rows.length) finish();
  };

  // All that arrived, before a reload or now, becomes part of the copy; what failed can go on.
  const finish = () => {
    const ids = [...list.querySelectorAll("li[data-state=arrived]")].map((li) => li.dataset.upload ||
      rows.find((row) => row.li === li).url.split("/").pop());
    for (const input of take.querySelectorAll("input[name=upload]")) input.remove();
    for (const id of ids) {
      const input = document.createElement("input");
      Object.assign(input, { type: "hidden", name: "upload", value: id });
      take.append(input);
    }
    take.hidden = ids.length === 0;
    if (ids.length && rows.every((row) => row.state === "arrived")) take.requestSubmit();
  };

  form.addEventListener("submit", (e) => {
    const files = [...form.querySelectorAll("input[type=file]")].flatMap((input) => [...input.files]);
    if (!files.length) return; // the server says that none was chosen
    e.preventDefault();
    files.forEach(add);
    for (const input of form.querySelectorAll("input[type=file]")) input.value = "";
    next();
  });
  addEventListener("online", () => {
    for (const row of rows) if (row.state === "failed") show(row, "waiting", text.waiting);
    next();
  });
})();
