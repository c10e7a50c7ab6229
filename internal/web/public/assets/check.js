// Compares a chosen file with the page's SHA-256 on the visitor's own device.
// SHA-256 is computed here (FIPS 180-4) because browsers offer theirs only on secure pages
// and only for whole files, and a copy may have grown by time-stamps behind its registered length.
"use strict";
(() => {
  const K = new Uint32Array(64), H0 = new Uint32Array(8);
  // The constants are the first bits of the fractional parts of roots of primes (§4.2.2, §5.3.3).
  (() => {
    const frac = (x) => ((x - Math.floor(x)) * 4294967296) >>> 0;
    for (let n = 2, i = 0; i < 64; n++) {
      let prime = true;
      for (let d = 2; d * d <= n; d++) if (n % d === 0) { prime = false; break; }
      if (!prime) continue;
      if (i < 8) H0[i] = frac(Math.sqrt(n));
      K[i++] = frac(Math.cbrt(n));
    }
  })();

  class SHA256 {
    constructor() { this.h = H0.slice(); this.w = new Uint32Array(64); this.tail = new Uint8Array(64); this.used = 0; this.length = 0; }
    clone() { const c = new SHA256(); c.h = this.h.slice(); c.tail = this.tail.slice(); c.used = this.used; c.length = this.length; return c; }
    block(b, at) {
      const w = this.w, h = this.h;
      for (let i = 0; i < 16; i++, at += 4) w[i] = (b[at] << 24) | (b[at + 1] << 16) | (b[at + 2] << 8) | b[at + 3];
      for (let i = 16; i < 64; i++) {
        const x = w[i - 15], y = w[i - 2];
        w[i] = w[i - 16] + w[i - 7] + (((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3)) + (((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10));
      }
      let [a, b2, c, d, e, f, g, k] = h;
      for (let i = 0; i < 64; i++) {
        const t1 = (k + (((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7))) + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
        const t2 = ((((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10))) + ((a & b2) ^ (a & c) ^ (b2 & c))) | 0;
        k = g; g = f; f = e; e = (d + t1) | 0; d = c; c = b2; b2 = a; a = (t1 + t2) | 0;
      }
      h[0] += a; h[1] += b2; h[2] += c; h[3] += d; h[4] += e; h[5] += f; h[6] += g; h[7] += k;
    }
    update(b) {
      this.length += b.length;
      let at = 0;
      if (this.used) {
        at = Math.min(64 - this.used, b.length);
        this.tail.set(b.subarray(0, at), this.used);
        this.used += at;
        if (this.used < 64) return this;
        this.block(this.tail, 0);
        this.used = 0;
      }
      for (; at + 64 <= b.length; at += 64) this.block(b, at);
      this.tail.set(b.subarray(at));
      this.used = b.length - at;
      return this;
    }
    hex() {
      const c = this.clone(), bits = c.length * 8, pad = new Uint8Array((c.used < 56 ? 64 : 128) - c.used), v = new DataView(pad.buffer);
      pad[0] = 0x80;
      v.setUint32(pad.length - 8, Math.floor(bits / 4294967296));
      v.setUint32(pad.length - 4, bits >>> 0);
      c.update(pad);
      return Array.from(c.h, (x) => x.toString(16).padStart(8, "0")).join("");
    }
  }

  const ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"; // FIPS 180-4, "abc"

  // digests returns the digest of the whole file and of its first `prefix` bytes.
  async function digests(file, prefix, progress, stopped) {
    const sum = new SHA256(), step = 1 << 20;
    let head = prefix === 0 ? sum.hex() : "";
    for (let at = 0; at < file.size;) {
      const end = Math.min(file.size, at + step, at < prefix ? prefix : Infinity);
      sum.update(new Uint8Array(await file.slice(at, end).arrayBuffer()));
      if (stopped()) return null;
      at = end;
      if (at === prefix) head = sum.hex();
      progress(Math.round((at / file.size) * 100));
    }
    return { whole: sum.hex(), head };
  }

  // compare names the result to show.
  function compare(want, size, fileSize, d) {
    if (!want) return "computed";
    if (fileSize === size && d.whole === want) return "same";
    if (fileSize > size && d.head === want) return "longer";
    return "different";
  }

  // lookUp asks the register for a digest; the file stays here. Null if no answer was had.
  async function lookUp(form, sha256) {
    try {
      const r = await fetch(form.action, { method: "POST", headers: { Accept: "application/json" }, body: new URLSearchParams({ sha256 }) });
      return r.ok ? (await r.json()).conclusion || null : null;
    } catch { return null; }
  }

  if (typeof module !== "undefined") { module.exports = { SHA256, digests, compare }; return; }

  for (const form of document.querySelectorAll("form.filecheck")) {
    const input = form.querySelector("input[type=file]"), want = form.dataset.sha256 || "", size = Number(form.dataset.size || 0);
    // What the page says of a file it has not seen goes once the file was compared, unless it is
    // said of the copy itself (annulled, void).
    const headline = document.querySelector(".notice.warn[data-until-checked]");
    const show = (...names) => {
      form.querySelectorAll("[data-result]").forEach((e) => { e.hidden = !names.includes(e.dataset.result); });
      if (headline) headline.hidden = ["same", "longer", "different"].includes(names[0]);
    };
    form.querySelectorAll("[data-when]").forEach((e) => { e.hidden = e.dataset.when !== "script"; });
    let run = 0;
    input.addEventListener("change", async () => {
      const mine = ++run, file = input.files[0];
      show();
      if (!file) return;
      show("working");
      try {
        // A browser whose arithmetic differs must not call a genuine file forged.
        if (new SHA256().update(new Uint8Array([97, 98, 99])).hex() !== ABC) throw new Error("sha-256");
        const d = await digests(file, size, (p) => { if (mine === run) form.querySelector("[data-progress]").textContent = p + " %"; }, () => mine !== run);
        if (!d) return;
        form.querySelector("[data-digest]").textContent = d.whole;
        if (want) { show(compare(want, size, file.size, d), "digest"); return; }
        form.querySelector("[name=sha256]").value = d.whole;
        const found = await lookUp(form, d.whole);
        if (mine !== run) return;
        if (!found) { form.querySelector("details").open = true; show("computed", "digest"); return; }
        const box = form.querySelector("[data-result=found]"), lang = document.documentElement.lang === "en" ? "en" : "vi";
        box.className = "notice " + found.tone;
        box.querySelector("[data-says]").textContent = found.says[lang];
        box.querySelector("[data-next]").textContent = found.next[lang];
        show("found", "digest");
      } catch {
        if (mine === run) show("failed");
      }
    });
    // A file may be dropped anywhere on the form.
    for (const kind of ["dragover", "dragleave", "drop"]) {
      form.addEventListener(kind, (e) => {
        e.preventDefault();
        form.classList.toggle("drop", kind === "dragover");
        if (kind !== "drop" || !e.dataTransfer.files.length) return;
        input.files = e.dataTransfer.files;
        input.dispatchEvent(new Event("change"));
      });
    }
    // "Compare" sends the digest alone: the chosen file stays on the device.
    form.addEventListener("submit", (e) => {
      if (e.submitter && !("send" in e.submitter.dataset)) input.disabled = true;
    });
  }
})();
