// The page: filters, keys, selection and download, around the sheet.

import * as talk from "./talk.js";
import { isPair, Model, plural, sizeWords, timeWords } from "./model.js";
import { Sheet } from "./sheet.js";
import { Thumbs } from "./thumbs.js";
import { Viewer } from "./viewer.js";

const $ = (id) => document.getElementById(id);
const FILTERS = ["find", "day", "kind", "rating", "order", "new", "protected", "marked", "chosen"];

const FILTERED = ["new", "rating", "protected", "marked"]; // of a picture; a change may hide it

const model = new Model();
const thumbs = new Thumbs((id) => sheet.thumbCame(id));
const sheet = new Sheet($("sheet"), $("canvas"), model, thumbs);
const viewer = new Viewer(model, thumbs, sheet, toggle);
let state = null;
let pending = 0;
let partial = false; // the pictures come anew, and are not complete
let ended = false;

// Selection

function toggle(id, on = !model.selected.has(id)) {
  if (on) model.selected.add(id);
  else model.selected.delete(id);
  sheet.anchor = id;
  selectionChanged([id]);
}

function selectOnly(ids) {
  const before = [...model.selected];
  model.selected = new Set(ids);
  selectionChanged([...before, ...ids]);
}

function selectionChanged(ids) {
  if (model.filter.chosen) arrange();
  else sheet.update(ids);
  showSelection();
  if (viewer.isOpen) viewer.update();
}

function selectAll() {
  const ids = model.shown.map((picture) => picture.id);
  const every = ids.length && ids.every((id) => model.selected.has(id));
  for (const id of ids) {
    if (every) model.selected.delete(id);
    else model.selected.add(id);
  }
  selectionChanged(ids);
  say(every ? "Nothing selected" : `${plural(model.selected.size, "picture")} selected`);
}

function showSelection() {
  const take = $("take").hidden ? "both" : $("take").value;
  const { files, size } = model.sum(take);
  const count = model.selected.size;
  $("chosen-text").textContent = count
    ? `${plural(count, "picture")} · ${plural(files, "file")}, ${sizeWords(size)}`
    : "Nothing selected";
  $("download").disabled = !count || ended;
  $("download").textContent = count ? `Download ${count.toLocaleString()}` : "Download";
  const shown = model.shown.length;
  const every = shown && model.shown.every((picture) => model.selected.has(picture.id));
  $("all").textContent = every ? "Select none" : "Select all";
  $("all").disabled = !shown;
}

// Filters

function arrange() {
  model.arrange();
  sheet.layout();
  const total = model.pictures.size;
  const shown = model.shown.length;
  $("count").textContent = shown === total ? plural(total, "picture")
    : `${shown.toLocaleString()} of ${plural(total, "picture")}`;
  const empty = !shown;
  $("empty").hidden = !empty;
  $("empty-clear").hidden = !model.isFiltered;
  const listing = !state || state.camera.state === "listing";
  $("empty-text").textContent = model.isFiltered && total ? "No picture matches the filters."
    : listing ? "Listing the card…" : "There are no pictures on the card.";
  showSelection();
}

function fillChoices() {
  choices($("day"), "All days", model.days());
  choices($("kind"), "All kinds", model.kinds());
  choices($("rating"), "Any rating", model.ratings());
  $("rating").hidden = !model.has((picture) => picture.rating !== null);
  $("take").hidden = !model.has(isPair);
  $("protected").closest("label").hidden = !model.has((picture) => picture.protected);
  $("marked").closest("label").hidden = !model.has((picture) => picture.marked);
  $("new").closest("label").hidden = !model.has((picture) => picture.new !== null);
}

function choices(select, first, rows) {
  const key = JSON.stringify(rows);
  if (select.dataset.key === key) return;
  select.dataset.key = key;
  const value = select.value;
  select.replaceChildren(new Option(first, ""), ...rows.map(
    ([name, words, count]) => new Option(`${words} (${count.toLocaleString()})`, name),
  ));
  select.value = rows.some(([name]) => name === value) ? value : "";
  model.filter[select.id] = select.value;
}

for (const name of FILTERS) {
  const control = $(name);
  control.addEventListener(control.type === "search" ? "input" : "change", () => {
    model.filter[name] = control.type === "checkbox" ? control.checked : control.value;
    $("sheet").scrollTop = 0;
    arrange();
  });
}
$("filters").addEventListener("submit", (event) => event.preventDefault());

function clearFilters() {
  for (const name of FILTERS.filter((each) => each !== "order")) {
    const control = $(name);
    if (control.type === "checkbox") control.checked = false;
    else control.value = "";
    model.filter[name] = control.type === "checkbox" ? false : "";
  }
  arrange();
  $("sheet").focus();
}
$("empty-clear").addEventListener("click", clearFilters);

// Camera and download

function showState() {
  const { camera, download } = state;
  $("camera").textContent = camera.name;
  document.title = `${camera.name} – pick pictures`;
  const link = $("link");
  link.dataset.state = ended ? "lost" : camera.state;
  const listed = camera.total ? `Listing ${camera.listed.toLocaleString()} of ${camera.total.toLocaleString()}` : "Listing";
  link.textContent = ended ? "Ended" : { listing: listed, ready: "Connected", lost: "Reconnecting" }[camera.state];
  let notice = "";
  if (ended) notice = "ptpfast has ended. Start “ptpfast pick” again to go on.";
  else if (camera.state === "lost") notice = `The camera does not answer: ${camera.message}. ptpfast goes on when it is back.`;
  else if (camera.message) notice = camera.message;
  if ($("notice").textContent !== notice) $("notice").textContent = notice;
  $("notice").hidden = !notice;
  $("notice").dataset.state = ended || camera.state === "lost" ? "lost" : "";
  $("folder").textContent = `to ${state.folder}`;
  $("folder").title = state.folder;
  showDownload(download);
}

const TITLES = { running: "Downloading", paused: "Paused", stopped: "Stopped" };

function showDownload(download) {
  const { state: now, files, done, failed, size, received, rate } = download;
  $("transfer").hidden = !files;
  if (!files) return;
  const finished = now === "idle";
  const settled = done + failed;
  const title = finished ? (failed ? `${plural(failed, "file")} failed` : "Downloaded") : TITLES[now];
  $("transfer").dataset.state = finished && failed ? "failed" : now;
  const parts = [finished && !failed ? plural(done, "file") : `${settled.toLocaleString()} of ${plural(files, "file")}`];
  if (finished) parts.push(sizeWords(received));
  else parts.push(`${sizeWords(received)} of ${sizeWords(size)}`);
  if (now === "running" && rate > 0) {
    parts.push(`${(rate / 1e6).toFixed(1)} MB/s`, timeWords((size - received) / rate));
  }
  if (download.message) parts.push(download.message);
  if (!finished && failed) parts.push(`${failed.toLocaleString()} failed`);
  if ($("transfer-title").textContent !== title) say(`${title}, ${parts[0]}`);
  $("transfer-title").textContent = title;
  $("transfer-text").textContent = parts.filter(Boolean).join(" · ");
  const bar = $("transfer-bar");
  bar.max = size || 1;
  bar.value = finished && !failed ? bar.max : received;
  const pause = $("pause");
  pause.hidden = finished;
  pause.textContent = now === "running" ? "Pause" : "Resume";
  $("clear").textContent = finished ? "Hide" : "Cancel";
}

async function order(body) {
  try {
    return await talk.command(body);
  } catch {
    say("ptpfast does not answer");
    return null;
  }
}

async function download() {
  if ($("download").disabled) return;
  const ids = [...model.selected];
  const take = $("take").hidden ? "both" : $("take").value;
  const answer = await order({ do: "download", ids, take });
  if (!answer) return;
  say(`${plural(answer.files, "file")} to download`);
  selectOnly([]);
}

const pauseOrResume = () => {
  if (!$("pause").hidden && !$("transfer").hidden) {
    order({ do: state.download.state === "running" ? "pause" : "resume" });
  }
};
$("download").addEventListener("click", download);
$("pause").addEventListener("click", pauseOrResume);
$("clear").addEventListener("click", () => order({ do: "clear" }));
$("again").addEventListener("click", () => order({ do: "list" }));
$("all").addEventListener("click", selectAll);
$("take").addEventListener("change", showSelection);
$("keys-open").addEventListener("click", () => $("keys").showModal());
$("size").addEventListener("input", () => {
  sheet.size = Number($("size").value);
  sheet.layout();
  sheet.go(sheet.active);
});

let sayTimer = 0;
function say(text) {
  clearTimeout(sayTimer);
  sayTimer = setTimeout(() => { $("say").textContent = text; }, 150);
}

// Pointer and keys

$("sheet").addEventListener("click", (event) => {
  const tile = event.target.closest(".tile");
  if (!tile) return;
  const id = Number(tile.dataset.id);
  const onCheck = event.target.closest(".check");
  sheet.active = id;
  if (event.shiftKey && sheet.anchor) {
    extend(id);
  } else if (onCheck || event.ctrlKey || event.metaKey || model.selected.size) {
    toggle(id);
  } else {
    viewer.open(id);
  }
  sheet.point();
});

function extend(id) {
  if (!sheet.index.has(sheet.anchor)) sheet.anchor = sheet.active;
  const ids = sheet.between(sheet.anchor, id);
  for (const each of ids) model.selected.add(each);
  selectionChanged(ids);
}

const MOVES = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown"];

$("sheet").addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (MOVES.includes(event.key)) {
    const next = sheet.neighbour(event.key);
    if (event.shiftKey) {
      const from = sheet.anchor && model.selected.has(sheet.active) ? sheet.anchor : sheet.active;
      sheet.anchor = from;
      sheet.go(next);
      extend(next);
    } else {
      sheet.go(next);
    }
  } else if (event.key === " ") {
    if (sheet.active) toggle(sheet.active);
  } else if (event.key === "Enter") {
    viewer.open(sheet.active);
  } else {
    return;
  }
  event.preventDefault();
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const typing = event.target.matches("input[type=search]");
  if (event.key === "Escape") {
    if (typing && event.target.value) return; // the field clears itself
    if (typing) $("sheet").focus();
    else if (model.selected.size) selectOnly([]);
    return;
  }
  if (event.target.matches("select") || (typing && event.key !== "Enter" && event.key !== "ArrowDown")) return;
  const keys = { a: selectAll, d: download, p: pauseOrResume, "?": () => $("keys").showModal() };
  if (event.key === "/") $("find").focus();
  else if (typing) $("sheet").focus();
  else if (keys[event.key.toLowerCase()]) keys[event.key.toLowerCase()]();
  else return;
  event.preventDefault();
});

// Events

function later() {
  if (partial) return;
  pending = pending || requestAnimationFrame(() => {
    pending = 0;
    model.settle();
    fillChoices();
    const stays = sheet.lookedAt();
    arrange();
    sheet.keep(stays);
    if (viewer.isOpen) viewer.update();
  });
}

talk.listen({
  reset() {
    partial = true;
    model.reset();
  },
  complete() {
    partial = false;
    later();
  },
  pictures(records) {
    const sameOrder = records.every((record) => {
      const before = model.pictures.get(record.id);
      return before && before.day === record.day && before.time === record.time
        && before.types.length === record.types.length
        && FILTERED.every((name) => before[name] === record[name]);
    });
    if (!partial && state?.camera.state === "ready") {
      const count = records.filter((record) => !model.pictures.has(record.id)).length;
      if (count) say(plural(count, "new picture"));
    }
    model.add(records);
    if (sameOrder && !partial) {
      for (const record of records) {
        const at = sheet.index?.get(record.id);
        if (at !== undefined) model.shown[at] = record;
      }
      sheet.update(records.map((record) => record.id));
    } else later();
  },
  gone(ids) {
    for (const id of ids) model.pictures.delete(id);
    later();
  },
  thumbnails(ids) {
    thumbs.announce(ids);
  },
  state(now) {
    const wasListing = !state || state.camera.state === "listing";
    state = now;
    ended = false;
    showState();
    if (wasListing) arrange();
    if ($("new").disabled !== !now.camera.knows_new) $("new").disabled = !now.camera.knows_new;
  },
  away() {
    if (!state) return;
    $("link").dataset.state = "lost";
    $("link").textContent = "ptpfast does not answer";
  },
  end() {
    ended = true;
    if (state) showState();
    showSelection();
  },
});

$("sheet").focus();
