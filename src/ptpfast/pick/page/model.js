// The pictures, which of them are shown, and which are selected.

export const KINDS = {
  raw: "RAW", jpeg: "JPEG", heif: "HEIF", video: "Movies", audio: "Sounds", other: "Other",
};

const MOST_STARS = 5;

export class Model {
  constructor() {
    this.pictures = new Map();
    this.selected = new Set();
    this.shown = [];
    this.filter = {
      find: "", day: "", kind: "", rating: "", order: "oldest", new: false, protected: false, marked: false, chosen: false,
    };
  }

  reset() {
    this.pictures.clear();
  }

  add(records) {
    for (const record of records) this.pictures.set(record.id, record);
  }

  // Selected pictures that are gone are not selected any more.
  settle() {
    for (const id of this.selected) if (!this.pictures.has(id)) this.selected.delete(id);
  }

  arrange() {
    const { find, day, kind, rating, order } = this.filter;
    const text = find.trim().toLowerCase();
    const shown = [];
    for (const picture of this.pictures.values()) {
      if (day && (picture.day || "none") !== day) continue;
      if (kind && !picture.kinds.includes(kind)) continue;
      if (rating && !(picture.rating >= Number(rating))) continue;
      if (this.filter.new && !picture.new) continue;
      if (this.filter.protected && !picture.protected) continue;
      if (this.filter.marked && !picture.marked) continue;
      if (this.filter.chosen && !this.selected.has(picture.id)) continue;
      if (text && !fullName(picture).toLowerCase().includes(text)) continue;
      shown.push(picture);
    }
    shown.sort(byTime);
    if (order === "newest") shown.reverse();
    this.shown = shown;
  }

  get isFiltered() {
    const { find, day, kind, rating, marked, chosen } = this.filter;
    return Boolean(find.trim() || day || kind || rating || marked || chosen
      || this.filter.new || this.filter.protected);
  }

  // [value, words, count] of the days and kinds there are.
  days() {
    const counts = new Map();
    for (const { day } of this.pictures.values()) {
      counts.set(day || "none", (counts.get(day || "none") || 0) + 1);
    }
    return [...counts].sort().map(([day, count]) => [day, dayWords(day, true), count]);
  }

  kinds() {
    const counts = new Map();
    for (const picture of this.pictures.values()) {
      for (const kind of picture.kinds) counts.set(kind, (counts.get(kind) || 0) + 1);
    }
    return Object.keys(KINDS).filter((kind) => counts.has(kind))
      .map((kind) => [kind, KINDS[kind], counts.get(kind)]);
  }

  // As many stars or more; none where the camera tells no ratings.
  ratings() {
    const counts = [0, 0, 0, 0, 0, 0];
    for (const { rating } of this.pictures.values()) {
      for (let stars = rating || 0; stars > 0; stars -= 1) counts[stars] += 1;
    }
    return [1, 2, 3, 4, 5].filter((stars) => counts[stars])
      .map((stars) => [String(stars), atLeast(stars), counts[stars]]);
  }

  has(test) {
    for (const picture of this.pictures.values()) if (test(picture)) return true;
    return false;
  }

  // Files and bytes of the selected pictures.
  sum(take) {
    let files = 0, size = 0;
    for (const id of this.selected) {
      const picture = this.pictures.get(id);
      if (!picture) continue;
      const kept = chosen(picture, take);
      files += kept.length;
      for (const index of kept) size += picture.sizes[index] || 0;
    }
    return { files, size };
  }
}

export function starsWords(stars) {
  return plural(stars, "star");
}

function atLeast(stars) {
  return stars === MOST_STARS ? starsWords(stars) : `${starsWords(stars)} or more`;
}

export function isPair(picture) {
  return picture.kinds.includes("raw")
    && (picture.kinds.includes("jpeg") || picture.kinds.includes("heif"));
}

const JPEGS = ["JPG", "JPEG", "JPE", "JFIF", "MPO", "INSP", "HIF", "HEIC", "HEIF", "HEICS", "HEIFS", "AVIF"];

// The files come RAW first, then the JPEGs, then the rest.
function chosen(picture, take) {
  const all = picture.types.map((_, index) => index);
  if (take === "both" || !isPair(picture)) return all;
  const developed = all.filter((index) => JPEGS.includes(picture.types[index]));
  if (take === "raw") return all.filter((index) => !developed.includes(index));
  const first = developed[0];
  return all.filter((index) => index >= first);
}

export function fullName(picture) {
  return picture.types.map((type) => `${picture.name}.${type}`).join(" ");
}

export function typesWords(picture) {
  return picture.types.join(" + ") || "file";
}

function byTime(a, b) {
  if (a.day !== b.day) return a.day < b.day ? -1 : 1;
  if (a.time !== b.time) return a.time < b.time ? -1 : 1;
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  return a.id - b.id;
}

const LONG = { weekday: "long", day: "numeric", month: "long", year: "numeric", timeZone: "UTC" };
const SHORT = { weekday: "short", day: "numeric", month: "short", year: "numeric", timeZone: "UTC" };

export function dayWords(day, short) {
  if (!day || day === "none") return "Without a date";
  const date = new Date(`${day}T00:00:00Z`);
  return Number.isNaN(date.valueOf()) ? day
    : date.toLocaleDateString(undefined, short ? SHORT : LONG);
}

export function sizeWords(bytes) {
  let value = bytes;
  for (const unit of ["B", "kB", "MB", "GB"]) {
    if (value < 999.95) return unit === "B" ? `${value} B` : `${value.toFixed(1)} ${unit}`;
    value /= 1000;
  }
  return `${value.toFixed(1)} TB`;
}

export function timeWords(seconds) {
  if (!Number.isFinite(seconds)) return "";
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s left`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s left`;
  return `${Math.floor(whole / 3600)} h ${String(Math.floor(whole % 3600 / 60)).padStart(2, "0")} min left`;
}

export function plural(count, one, many) {
  return `${count.toLocaleString()} ${count === 1 ? one : many || `${one}s`}`;
}
