"use strict";

const NAMES = ["Visible", "Infrared", "Fused", "Overlay"];
const LEVELS = ["fine", "warning", "error", "error"]; // of diagnostic_msgs/DiagnosticStatus; the last is stale
const RETRY_MS = 1000;
const RECORDED_MS = 60000; // images with older stamps are from a recording

const find = (id) => document.getElementById(id);

const figures = NAMES.map((name) => {
  const figure = find("image").content.firstElementChild.cloneNode(true);
  figure.querySelector(".name").textContent = name;
  figure.querySelector("img").alt = `${name} image`;
  figure.querySelector(".frame").addEventListener("click", () => figure.classList.toggle("large"));
  find("images").append(figure);
  return figure;
});

let socket = null;

function connect() {
  const own = new WebSocket(`ws://${location.host}/images`);
  own.binaryType = "arraybuffer";
  own.onopen = () => setBadge("connection", "live", "fine");
  own.onmessage = (event) => {
    if (typeof event.data === "string") showState(JSON.parse(event.data));
    else showImage(own, event.data);
  };
  own.onclose = () => {
    if (socket !== own) return; // closed by `follow` because the page is hidden
    setBadge("connection", "no connection", "error");
    setTimeout(follow, RETRY_MS);
  };
  socket = own;
}

// A hidden page closes its connection, so that it costs the robot nothing.
function follow() {
  if (document.visibilityState === "hidden") {
    const own = socket;
    socket = null;
    if (own) own.close();
    setBadge("connection", "paused", "");
  } else if (!socket || socket.readyState === WebSocket.CLOSED) {
    connect();
  }
}

function showImage(own, data) {
  const index = new DataView(data).getUint8(0);
  const image = figures[index].querySelector("img");
  const address = URL.createObjectURL(new Blob([new Uint8Array(data, 1)], { type: "image/jpeg" }));
  const done = () => {
    URL.revokeObjectURL(address);
    if (own.readyState === WebSocket.OPEN) own.send(String(index)); // the server may send the next image
  };
  image.onload = () => {
    image.hidden = false;
    done();
  };
  image.onerror = done;
  image.src = address;
}

function showState(state) {
  state.images.forEach((stream, index) => showStream(figures[index], stream));
  const isWhole = state.source === "both";
  setBadge("source", `source: ${state.source || "unknown"}`, state.source ? (isWhole ? "fine" : "warning") : "");
  showList("diagnostics", state.statuses, diagnosticItem, "the node says nothing");
  showList("classes", state.legend, classItem, "");
}

function showStream(figure, stream) {
  const isLive = stream.rate > 0;
  figure.classList.toggle("live", isLive);
  figure.classList.toggle("stale", !isLive);
  figure.querySelector(".rate").textContent = isLive ? `${stream.rate.toFixed(1)} Hz` : "";
  figure.querySelector(".latency").textContent = isLive ? inWords(stream.latency) : "";
  figure.querySelector(".topic").textContent = [stream.topic, stream.description].filter(Boolean).join(" · ");
  figure.querySelector(".waiting").textContent = isLive
    ? ""
    : stream.publishers
      ? "no images arrive"
      : "nobody publishes";
}

function inWords(latency) {
  if (latency === null) return "";
  if (Math.abs(latency) > RECORDED_MS) return "recorded";
  return Math.abs(latency) < 10000 ? `${latency.toFixed(0)} ms` : `${(latency / 1000).toFixed(1)} s`;
}

function diagnosticItem(status) {
  const item = document.createElement("li");
  item.className = LEVELS[status.level] || "error";
  const message = document.createElement("span");
  message.textContent = status.message;
  item.append(status.task, message);
  return item;
}

function classItem({ name, color }) {
  const item = document.createElement("li");
  const swatch = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const square = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  for (const [key, value] of Object.entries({ width: "100%", height: "100%", fill: color })) {
    square.setAttribute(key, value); // the content security policy forbids style attributes
  }
  swatch.append(square);
  item.append(swatch, name.replaceAll("_", " "));
  return item;
}

// Lists are recreated only when they change, so that text can be selected.
const shown = {};
function showList(id, items, make, otherwise) {
  const key = JSON.stringify(items);
  if (shown[id] === key) return;
  shown[id] = key;
  find(id).replaceChildren(...(items.length ? items.map(make) : [otherwise]));
}

function setBadge(id, text, level) {
  find(id).textContent = text;
  find(id).className = `badge ${level}`;
}

document.addEventListener("visibilitychange", follow);
follow();
