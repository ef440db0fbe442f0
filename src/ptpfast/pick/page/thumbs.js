// The thumbnails that the page holds, and the requests for those in view.

import * as talk from "./talk.js";

const MOST = 4000; // held at a time; the oldest are asked for again when they come into view
const AT_A_TIME = 120;
const WAIT_MS = 40; // after the last scroll: what rushes by is not asked for

export class Thumbs {
  constructor(arrived) {
    this.arrived = arrived;
    this.urls = new Map();
    this.without = new Set();
    this.asked = new Set();
    this.view = [];
    this.timer = 0;
    this.busy = false;
  }

  get(id) {
    const url = this.urls.get(id);
    if (url) {
      this.urls.delete(id);
      this.urls.set(id, url);
    }
    return url;
  }

  // The pictures in view, the nearest first.
  look(ids) {
    this.view = ids.filter((id) => !this.urls.has(id) && !this.without.has(id));
    this.asked.clear();
    this.later();
  }

  // Thumbnails have come to ptpfast.
  announce(ids) {
    const view = new Set(this.view);
    let any = false;
    for (const id of ids) {
      this.without.delete(id);
      if (view.has(id)) {
        this.asked.delete(id);
        any = true;
      }
    }
    if (any) this.later();
  }

  forget() {
    for (const url of this.urls.values()) URL.revokeObjectURL(url);
    this.urls.clear();
    this.without.clear();
    this.asked.clear();
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.fetch(), WAIT_MS);
  }

  async fetch() {
    if (this.busy) return;
    const ids = this.view.filter((id) => !this.asked.has(id)).slice(0, AT_A_TIME);
    if (!ids.length) return;
    this.busy = true;
    for (const id of ids) this.asked.add(id);
    try {
      for (const [id, blob] of await talk.thumbnails(ids)) {
        if (blob) this.hold(id, URL.createObjectURL(blob));
        else this.without.add(id);
        this.arrived(id);
      }
      this.view = this.view.filter((id) => !this.urls.has(id) && !this.without.has(id));
    } catch { /* ptpfast is away: they are asked for when it is back */
      this.asked.clear();
      this.busy = false;
      return;
    }
    this.busy = false;
    if (this.view.some((id) => !this.asked.has(id))) this.later();
  }

  hold(id, url) {
    if (this.urls.has(id)) URL.revokeObjectURL(this.urls.get(id));
    this.urls.delete(id);
    this.urls.set(id, url);
    while (this.urls.size > MOST) {
      const [oldest, old] = this.urls.entries().next().value;
      URL.revokeObjectURL(old);
      this.urls.delete(oldest);
    }
  }
}
