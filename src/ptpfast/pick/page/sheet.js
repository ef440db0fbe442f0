// The contact sheet: of thousands of pictures, only those in view are elements of the page.

import { dayWords, plural, starsWords, typesWords } from "./model.js";

const GAP = 10, BELOW = 14, EDGE = 12, HEADING = 44, CAPTION = 32;
const AHEAD = 600; // pixels above and below the view that are drawn, too

const WORDS = {
  queued: "waiting for download", now: "downloading", done: "downloaded",
  here: "already in the folder", failed: "failed",
};

export class Sheet {
  constructor(sheet, canvas, model, thumbs) {
    Object.assign(this, { sheet, canvas, model, thumbs });
    this.size = window.innerWidth < 500 ? 110 : 170;
    this.rows = [];
    this.place = new Map(); // id → index of its row, and its column
    this.tiles = new Map();
    this.pool = [];
    this.headings = new Map();
    this.active = 0; // id of the picture that the keys move
    this.anchor = 0; // where a range began
    this.frame = 0;
    sheet.addEventListener("scroll", () => this.soon(), { passive: true });
    new ResizeObserver(() => this.layout()).observe(sheet);
  }

  // Rows and places of all pictures that are shown.
  layout() {
    const width = this.sheet.clientWidth - 2 * EDGE;
    if (width <= 0) return;
    const columns = Math.max(2, Math.floor((width + GAP) / (this.size + GAP)));
    const tile = Math.floor((width - GAP * (columns - 1)) / columns);
    const height = Math.round(tile * 0.75) + CAPTION;
    Object.assign(this, { columns, tile, tileHeight: height });
    const shown = this.model.shown;
    this.rows = [];
    this.place.clear();
    let top = 0;
    for (let at = 0; at < shown.length;) {
      const day = shown[at].day;
      let end = at;
      while (end < shown.length && shown[end].day === day) end += 1;
      this.rows.push({ top, height: HEADING, day, count: end - at, ids: [] });
      top += HEADING;
      for (; at < end; at += columns) {
        const ids = shown.slice(at, Math.min(at + columns, end)).map((picture) => picture.id);
        ids.forEach((id, column) => this.place.set(id, { row: this.rows.length, column }));
        this.rows.push({ top, height, day: null, ids });
        top += height + BELOW;
      }
      at = end;
    }
    this.canvas.style.height = `${top + EDGE}px`;
    this.index = new Map(shown.map((picture, index) => [picture.id, index]));
    if (!this.place.has(this.active)) this.active = shown.length ? shown[0].id : 0;
    this.draw(true);
  }

  // The picture that is looked at, and how far from the top it is; null at the beginning.
  lookedAt() {
    const { scrollTop, clientHeight } = this.sheet;
    if (!scrollTop) return null;
    const inView = ({ top }) => top >= scrollTop - this.tileHeight && top < scrollTop + clientHeight;
    const place = this.place.get(this.active);
    const active = place && this.rows[place.row];
    if (active && inView(active)) return { id: this.active, above: active.top - scrollTop };
    const row = this.rows.slice(this.firstRow(scrollTop)).find(({ ids }) => ids.length);
    return row ? { id: row.ids[0], above: row.top - scrollTop } : null;
  }

  // Have a picture stay where it was, although others have come before it.
  keep(stays) {
    const place = stays && this.place.get(stays.id);
    if (place) this.sheet.scrollTop = this.rows[place.row].top - stays.above;
  }

  soon() {
    if (!this.frame) {
      this.frame = requestAnimationFrame(() => {
        this.frame = 0;
        this.draw(false);
      });
    }
  }

  firstRow(y) {
    let low = 0, high = this.rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.rows[middle].top + this.rows[middle].height < y) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  draw(all) {
    const from = this.sheet.scrollTop, to = from + this.sheet.clientHeight;
    const rows = [];
    for (let at = this.firstRow(from - AHEAD); at < this.rows.length; at += 1) {
      if (this.rows[at].top > to + AHEAD) break;
      rows.push(at);
    }
    const active = this.place.get(this.active);
    if (active && !rows.includes(active.row)) rows.push(active.row); // a reader may be at it
    const wanted = new Map();
    const headings = new Set();
    const view = [], near = [];
    for (const at of rows) {
      const row = this.rows[at];
      if (row.day !== null) headings.add(at);
      const inView = row.top + row.height >= from && row.top <= to;
      row.ids.forEach((id, column) => {
        wanted.set(id, { row, column });
        (inView ? view : near).push(id);
      });
    }
    this.drawHeadings(headings, all);
    for (const [id, tile] of this.tiles) {
      if (!wanted.has(id)) {
        this.tiles.delete(id);
        tile.hidden = true;
        tile.removeAttribute("id");
        tile.classList.remove("active");
        tile.setAttribute("aria-selected", "false");
        this.pool.push(tile);
      }
    }
    for (const [id, { row, column }] of wanted) {
      let tile = this.tiles.get(id);
      const isNew = !tile;
      if (isNew) {
        tile = this.pool.pop() || this.canvas.appendChild(makeTile());
        tile.hidden = false;
        this.tiles.set(id, tile);
      }
      if (isNew || all) {
        tile.style.width = `${this.tile}px`;
        tile.style.height = `${this.tileHeight}px`;
        tile.style.transform = `translate(${EDGE + column * (this.tile + GAP)}px, ${row.top}px)`;
        this.fill(tile, id);
      }
    }
    this.point();
    this.thumbs.look([...view, ...near]);
  }

  drawHeadings(wanted, all) {
    for (const [at, heading] of this.headings) {
      if (all || !wanted.has(at)) {
        heading.remove();
        this.headings.delete(at);
      }
    }
    for (const at of wanted) {
      if (this.headings.has(at)) continue;
      const row = this.rows[at];
      const heading = document.createElement("div");
      heading.className = "heading";
      heading.setAttribute("aria-hidden", "true"); // each picture says its day
      heading.style.transform = `translateY(${row.top}px)`;
      const day = document.createElement("strong");
      day.textContent = dayWords(row.day);
      const count = document.createElement("span");
      count.textContent = plural(row.count, "picture");
      heading.append(day, count);
      this.canvas.append(heading);
      this.headings.set(at, heading);
    }
  }

  fill(tile, id) {
    const picture = this.model.pictures.get(id);
    if (!picture) return;
    const selected = this.model.selected.has(id);
    tile.id = `p${id}`;
    tile.dataset.id = id;
    tile.dataset.status = picture.status;
    tile.dataset.fetched = picture.new === false ? "yes" : "";
    tile.setAttribute("aria-selected", String(selected));
    tile.setAttribute("aria-setsize", String(this.model.shown.length));
    tile.setAttribute("aria-posinset", String(this.index.get(id) + 1));
    const words = [picture.name, typesWords(picture), dayWords(picture.day), picture.time];
    if (picture.rating !== null) words.push(starsWords(picture.rating));
    if (picture.protected) words.push("protected");
    if (picture.marked) words.push("marked on the camera");
    if (picture.status) words.push(WORDS[picture.status]);
    else if (picture.new === false) words.push("downloaded before");
    if (picture.reason) words.push(picture.reason);
    tile.setAttribute("aria-label", words.filter(Boolean).join(", "));
    const { name, types, badge, lock, stars } = tile.parts;
    name.textContent = picture.name;
    types.textContent = typesWords(picture);
    lock.hidden = !picture.protected;
    stars.hidden = !picture.rating;
    stars.textContent = `★${picture.rating}`;
    const status = picture.status || (picture.new === false ? "fetched" : "");
    badge.className = `badge ${status}`;
    badge.title = picture.reason || WORDS[picture.status] || (status ? "downloaded before" : "");
    this.fillThumb(tile, id);
  }

  fillThumb(tile, id) {
    const { image, none } = tile.parts;
    const url = this.thumbs.get(id);
    if (image.dataset.url !== (url || "")) {
      image.dataset.url = url || "";
      if (url) image.src = url;
      else image.removeAttribute("src");
    }
    image.hidden = !url;
    const without = this.thumbs.without.has(id);
    none.hidden = !without;
    if (without) none.textContent = this.model.pictures.get(id)?.types[0] || "file";
  }

  update(ids) {
    for (const id of ids) {
      const tile = this.tiles.get(id);
      if (tile) this.fill(tile, id);
    }
  }

  thumbCame(id) {
    const tile = this.tiles.get(id);
    if (tile) this.fillThumb(tile, id);
  }

  updateAll() {
    this.update(this.tiles.keys());
  }

  // Show which picture the keys move from.
  point() {
    for (const [id, tile] of this.tiles) tile.classList.toggle("active", id === this.active);
    if (this.tiles.has(this.active)) this.sheet.setAttribute("aria-activedescendant", `p${this.active}`);
    else this.sheet.removeAttribute("aria-activedescendant");
  }

  go(id) {
    const place = this.place.get(id);
    if (!place) return;
    this.active = id;
    const row = this.rows[place.row];
    const before = this.rows[place.row - 1];
    const top = before && before.day !== null ? before.top : row.top - GAP;
    const { scrollTop, clientHeight } = this.sheet;
    if (top < scrollTop) this.sheet.scrollTop = top;
    else if (row.top + row.height + GAP > scrollTop + clientHeight) {
      this.sheet.scrollTop = row.top + row.height + GAP - clientHeight;
    }
    this.draw(false);
  }

  // The picture that a key leads to from the active one.
  neighbour(key) {
    const shown = this.model.shown;
    if (!shown.length) return 0;
    const at = this.index.get(this.active) ?? 0;
    const place = this.place.get(this.active);
    const page = Math.max(1, Math.floor(this.sheet.clientHeight / (this.tileHeight + GAP)));
    const steps = { ArrowUp: -1, ArrowDown: 1, PageUp: -page, PageDown: page }[key];
    if (steps) return this.inRow(place, steps);
    const next = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: shown.length - 1 }[key];
    return shown[Math.min(Math.max(next, 0), shown.length - 1)].id;
  }

  inRow(place, steps) {
    let row = place.row, left = Math.abs(steps), found = place.row;
    while (left) {
      row += Math.sign(steps);
      if (row < 0 || row >= this.rows.length) break;
      if (this.rows[row].day !== null) continue;
      found = row;
      left -= 1;
    }
    const { ids } = this.rows[found];
    return ids[Math.min(place.column, ids.length - 1)];
  }

  between(one, other) {
    const first = this.index.get(one) ?? 0, last = this.index.get(other) ?? 0;
    const [from, to] = first < last ? [first, last] : [last, first];
    return this.model.shown.slice(from, to + 1).map((picture) => picture.id);
  }
}

function makeTile() {
  const tile = document.createElement("div");
  tile.className = "tile";
  tile.setAttribute("role", "option");
  const part = (name, parent = tile, tag = "span") => {
    const element = document.createElement(tag);
    element.className = name;
    parent.append(element);
    return element;
  };
  const frame = part("frame");
  const image = part("image", frame, "img");
  image.alt = "";
  image.decoding = "async";
  image.draggable = false;
  const none = part("none", frame);
  const badge = part("badge", frame);
  const check = part("check", frame);
  check.title = "Select";
  const caption = part("caption");
  const name = part("name", caption);
  const lock = part("lock", caption);
  lock.title = "Protected";
  const stars = part("stars", caption);
  stars.title = "Rating";
  const types = part("types", caption);
  tile.parts = { image, none, badge, check, name, types, lock, stars };
  return tile;
}
