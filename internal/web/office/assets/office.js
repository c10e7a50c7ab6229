// What is more convenient with scripts; every page works without.
"use strict";
for (const form of document.querySelectorAll("form.once")) {
  form.addEventListener("submit", (e) => {
    if (form.dataset.sent) { e.preventDefault(); return; }
    form.dataset.sent = "yes";
    setTimeout(() => { delete form.dataset.sent; }, 15000);
  });
}
addEventListener("pageshow", () => { for (const f of document.querySelectorAll("form.once")) delete f.dataset.sent; });
for (const all of document.querySelectorAll("input.all")) {
  all.hidden = false;
  const boxes = all.form.querySelectorAll("input[name=copy]");
  all.addEventListener("change", () => { for (const b of boxes) b.checked = all.checked; });
}
for (const b of document.querySelectorAll("button.copy")) {
  const field = document.getElementById(b.dataset.copy);
  b.hidden = false;
  b.addEventListener("click", async () => {
    field.select();
    try { await navigator.clipboard.writeText(field.value); } catch { document.execCommand("copy"); }
    b.textContent = b.dataset.copied;
    b.classList.add("copied");
  });
}
for (const b of document.querySelectorAll("button.print")) {
  b.hidden = false;
  b.addEventListener("click", () => print());
}
const watched = document.querySelector("[data-watch]");
if (watched) {
  const look = async () => {
    try {
      const r = await fetch(watched.dataset.watch, { headers: { Accept: "application/json" }, cache: "no-store" });
      if (r.ok) {
        const s = await r.json();
        const seen = [s.state, s.confirmed, s.sealing, s.trouble.vi].join("/");
        if (seen !== watched.dataset.seen) { location.replace(location.pathname); return; }
      }
    } catch { /* the line is down: look again later */ }
    setTimeout(look, document.hidden ? 10000 : 1500);
  };
  setTimeout(look, 1500);
}
for (const list of document.querySelectorAll("[data-lay]")) {
  const form = document.getElementById(list.dataset.lay);
  let held = null;
  const rest = () => { for (const li of list.children) li.classList.remove("here", "held"); };
  if (list.children.length > 1) document.getElementById("drag").hidden = false;
  for (const li of list.children) {
    li.draggable = list.children.length > 1;
    li.addEventListener("dragstart", (e) => { held = li; li.classList.add("held"); e.dataTransfer.effectAllowed = "move"; e.dataTransfer.setData("text/plain", li.dataset.page); });
    li.addEventListener("dragend", () => { held = null; rest(); });
    li.addEventListener("dragover", (e) => {
      if (!held) return;
      e.preventDefault();
      rest();
      held.classList.add("held");
      li.classList.add("here");
    });
    li.addEventListener("drop", (e) => {
      if (!held || held === li) return;
      e.preventDefault();
      const items = [...list.children];
      if (items.indexOf(held) < items.indexOf(li)) li.after(held); else li.before(held);
      const order = form.elements.order;
      order.disabled = false;
      order.value = [...list.children].map((x) => x.dataset.page).join(",");
      form.submit();
    });
  }
}
for (const form of document.querySelectorAll("[data-sample]")) {
  const picture = document.getElementById("sample"), wrong = document.getElementById("sample-wrong");
  let timer = 0;
  const draw = async () => {
    const typed = new URLSearchParams(new FormData(form));
    for (const name of ["password", "from", "decision"]) typed.delete(name);
    const address = form.dataset.sample + "?" + typed;
    try {
      const r = await fetch(address, { headers: { Accept: "application/problem+json, image/jpeg" } });
      wrong.hidden = r.ok;
      if (r.ok) { picture.src = address; return; }
      const problem = await r.json();
      wrong.textContent = document.documentElement.lang === "en" ? problem.en : problem.vi;
    } catch { /* the line is down: the next key tries again */ }
  };
  form.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(draw, 400); });
}
