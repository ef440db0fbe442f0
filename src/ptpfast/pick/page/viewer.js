// The large preview.

import * as talk from "./talk.js";
import { dayWords, sizeWords, starsWords, typesWords } from "./model.js";

const HELD = 8; // previews
const SWIPE = 60; // pixels

const $ = (id) => document.getElementById(id);

export class Viewer {
  constructor(model, thumbs, sheet, toggle) {
    Object.assign(this, { model, thumbs, sheet, toggle });
    this.dialog = $("viewer");
    this.image = $("viewer-image");
    this.stage = $("viewer-stage");
    this.note = $("viewer-note");
    this.held = new Map();
    this.id = 0;
    $("viewer-close").addEventListener("click", () => this.dialog.close());
    $("viewer-previous").addEventListener("click", () => this.turn(-1));
    $("viewer-next").addEventListener("click", () => this.turn(1));
    $("viewer-pick").addEventListener("click", () => this.toggle(this.id));
    $("viewer-zoom").addEventListener("click", () => this.zoom());
    this.image.addEventListener("click", (event) => this.zoom(event));
    this.dialog.addEventListener("close", () => this.closed());
    this.dialog.addEventListener("keydown", (event) => this.key(event));
    let from = null;
    this.stage.addEventListener("touchstart", (event) => {
      from = event.touches.length === 1 && !this.isZoomed ? event.touches[0].clientX : null;
    }, { passive: true });
    this.stage.addEventListener("touchend", (event) => {
      if (from === null) return;
      const moved = event.changedTouches[0].clientX - from;
      if (Math.abs(moved) > SWIPE) this.turn(moved > 0 ? -1 : 1);
    });
  }

  get isOpen() {
    return this.dialog.open;
  }

  get isZoomed() {
    return this.stage.classList.contains("zoomed");
  }

  open(id) {
    if (!this.model.pictures.has(id)) return;
    if (!this.isOpen) this.dialog.showModal();
    this.show(id);
  }

  closed() {
    this.request?.abort();
    this.sheet.go(this.id);
    this.sheet.sheet.focus();
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const onButton = event.target.closest("button") && [" ", "Enter"].includes(event.key);
    if (onButton) return;
    if (event.key === "ArrowLeft" && !this.isZoomed) this.turn(-1);
    else if (event.key === "ArrowRight" && !this.isZoomed) this.turn(1);
    else if (event.key === " ") this.toggle(this.id);
    else if (event.key === "Enter") this.dialog.close();
    else if (event.key.toLowerCase() === "z") this.zoom();
    else return;
    event.preventDefault();
  }

  near(step) {
    const at = this.sheet.index.get(this.id);
    return at === undefined ? undefined : this.model.shown[at + step];
  }

  turn(step) {
    const next = this.near(step);
    if (next) this.show(next.id);
  }

  zoom(event) {
    if (!this.isZoomed && this.image.naturalWidth <= this.stage.clientWidth) return;
    const box = this.image.getBoundingClientRect();
    const x = event ? (event.clientX - box.left) / box.width : 0.5;
    const y = event ? (event.clientY - box.top) / box.height : 0.5;
    const zoomed = this.stage.classList.toggle("zoomed");
    $("viewer-zoom").setAttribute("aria-pressed", String(zoomed));
    if (zoomed) {
      this.stage.scrollLeft = x * this.image.offsetWidth - this.stage.clientWidth / 2;
      this.stage.scrollTop = y * this.image.offsetHeight - this.stage.clientHeight / 2;
    }
  }

  // Words and buttons.
  update() {
    const picture = this.model.pictures.get(this.id);
    if (!picture) {
      if (this.isOpen) this.dialog.close();
      return;
    }
    const at = this.sheet.index.get(this.id) ?? 0;
    const size = picture.sizes.reduce((sum, each) => sum + (each || 0), 0);
    $("viewer-name").textContent = picture.name;
    $("viewer-text").textContent = [
      typesWords(picture), sizeWords(size), `${dayWords(picture.day, true)} ${picture.time}`.trim(),
      picture.rating === null ? "" : starsWords(picture.rating),
      `${(at + 1).toLocaleString()} of ${this.model.shown.length.toLocaleString()}`,
    ].filter(Boolean).join(" · ");
    const selected = this.model.selected.has(this.id);
    const pick = $("viewer-pick");
    pick.setAttribute("aria-pressed", String(selected));
    pick.textContent = selected ? "Selected" : "Select";
    $("viewer-previous").disabled = !this.near(-1);
    $("viewer-next").disabled = !this.near(1);
  }

  async show(id) {
    this.id = id;
    this.stage.classList.remove("zoomed");
    $("viewer-zoom").setAttribute("aria-pressed", "false");
    this.sheet.active = id;
    this.update();
    const picture = this.model.pictures.get(id);
    this.image.alt = `${picture.name}, ${dayWords(picture.day)} ${picture.time}`;
    const small = this.thumbs.get(id);
    this.put(this.held.get(id) || small, !this.held.has(id));
    this.say(this.held.has(id) ? "" : "Loading the preview…");
    if (!await this.load(id) || this.id !== id) return;
    this.put(this.held.get(id), false);
    this.say("");
    const next = this.near(1);
    if (next) this.load(next.id, true);
  }

  // Hold the preview of a picture; false if there is none or another one was wanted since.
  async load(id, ahead = false) {
    if (this.held.has(id)) return true;
    if (!ahead) {
      this.request?.abort();
      this.request = new AbortController();
    }
    try {
      const blob = await talk.preview(id, ahead ? undefined : this.request.signal);
      this.held.set(id, URL.createObjectURL(blob));
    } catch (error) {
      if (this.id === id && error.name !== "AbortError" && error.status !== 409) {
        this.say(error.status ? error.message : "ptpfast does not answer");
      }
      return false;
    }
    while (this.held.size > HELD) {
      const [oldest, url] = this.held.entries().next().value;
      if (oldest === this.id) break;
      URL.revokeObjectURL(url);
      this.held.delete(oldest);
    }
    return true;
  }

  put(url, small) {
    this.image.hidden = !url;
    if (url) this.image.src = url;
    this.image.classList.toggle("small", small);
  }

  say(text) {
    this.note.textContent = text;
    this.note.hidden = !text;
  }
}
