// The connection to the show. It tells what is set, gives frames, and carries actions; and it comes back when it was lost.

const FIRST_WAIT = 300;
const LONGEST_WAIT = 4000;
const SEND_EVERY = 30; // milliseconds between two values of one slider

export class Link extends EventTarget {
  #socket = null;
  #wait = FIRST_WAIT;
  #last = new Map(); // by action: when it was sent, and what still waits

  // Connect, and connect again whenever that is lost.
  open() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/api/socket`);
    socket.binaryType = "blob";
    socket.onopen = () => {
      this.#wait = FIRST_WAIT;
      this.#socket = socket;
      this.dispatchEvent(new Event("open"));
    };
    socket.onmessage = (message) => {
      if (message.data instanceof Blob) {
        this.#tell("frame", message.data);
      } else {
        for (const [what, detail] of Object.entries(JSON.parse(message.data))) this.#tell(what, detail);
      }
    };
    socket.onclose = () => {
      this.#socket = null;
      this.dispatchEvent(new Event("lost"));
      setTimeout(() => this.open(), this.#wait);
      this.#wait = Math.min(this.#wait * 1.6, LONGEST_WAIT);
    };
  }

  get connected() {
    return this.#socket !== null;
  }

  // Ask for the next "frame", or for "thumbnails" from now on.
  ask(what) {
    this.#send({ ask: what });
  }

  // Do an action; without a value what its key does.
  act(action, value) {
    this.#send(value === undefined ? { action } : { action, value });
  }

  // The same for a slider that moves: the last value is always sent, those between not all.
  slide(action, value) {
    const last = this.#last.get(action) ?? { at: 0, timer: 0 };
    clearTimeout(last.timer);
    const wait = last.at + SEND_EVERY - performance.now();
    const send = () => {
      last.at = performance.now();
      this.act(action, value);
    };
    if (wait <= 0) send();
    else last.timer = setTimeout(send, wait);
    this.#last.set(action, last);
  }

  #send(message) {
    this.#socket?.send(JSON.stringify(message));
  }

  #tell(what, detail) {
    this.dispatchEvent(new CustomEvent(what, { detail }));
  }
}
