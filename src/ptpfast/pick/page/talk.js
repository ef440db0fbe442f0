// What the page says to ptpfast, and hears from it.

const HEADERS = { "Content-Type": "application/json", "X-Ptpfast-Pick": "1" };

export async function command(body) {
  const answer = await fetch("command", {
    method: "POST", headers: HEADERS, body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

// Yields [id, blob] of the thumbnails that are here; blob is null where there is none.
export async function thumbnails(ids) {
  const answer = await fetch("thumbnails", {
    method: "POST", headers: HEADERS, body: JSON.stringify({ ids }),
  });
  if (!answer.ok) throw new Error(await answer.text());
  const buffer = await answer.arrayBuffer();
  const view = new DataView(buffer);
  const found = [];
  for (let at = 0; at + 8 <= buffer.byteLength;) {
    const id = view.getUint32(at), size = view.getUint32(at + 4);
    at += 8;
    const part = buffer.slice(at, at + size);
    found.push([id, size ? new Blob([part], { type: "image/jpeg" }) : null]);
    at += size;
  }
  return found;
}

// The large preview as a blob. Throws an Error with the camera's reason.
export async function preview(id, signal) {
  const answer = await fetch(`preview/${id}`, { signal });
  if (answer.ok) return answer.blob();
  let message = "there is no preview";
  try {
    message = (await answer.json()).message;
  } catch { /* an answer without a reason */ }
  const error = new Error(message);
  error.status = answer.status;
  throw error;
}

// Calls hear[name](data) for each event, hear.away() while ptpfast does not answer.
export function listen(hear) {
  const source = new EventSource("events");
  for (const name of ["reset", "pictures", "gone", "complete", "thumbnails", "state"]) {
    source.addEventListener(name, (event) => hear[name](JSON.parse(event.data)));
  }
  source.addEventListener("end", () => {
    source.close();
    hear.end();
  });
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) hear.end();
    else hear.away();
  });
}
