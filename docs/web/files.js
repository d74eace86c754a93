// Files of the visitor: chosen by a button, or dropped on a part of the page. None of them leaves the browser.

import { tell } from "./tools.js";

// Do something with each of them, one after another; what goes wrong is said.
export function takeFiles(zone, input, button, take) {
  const takeAll = async (files) => {
    for (const file of files) {
      await take(file).catch(({ name, message }) => {
        tell(name === "InvalidStateError" ? `${file.name} is no picture that this browser reads.` : `${file.name}: ${message}`);
      });
    }
  };
  button.onclick = () => input.click();
  input.onchange = () => takeAll([...input.files]).then(() => (input.value = ""));
  const withFiles = (event) => event.dataTransfer.types.includes("Files");
  zone.addEventListener("dragover", (event) => zone.classList.toggle("taking", withFiles(event)));
  zone.addEventListener("dragleave", (event) => {
    if (!zone.contains(event.relatedTarget)) zone.classList.remove("taking");
  });
  zone.addEventListener("drop", (event) => {
    zone.classList.remove("taking");
    if (withFiles(event)) takeAll([...event.dataTransfer.files]);
  });
}

// A file that is dropped beside the places for it must not take the place of the page.
for (const kind of ["dragover", "drop"]) document.addEventListener(kind, (event) => event.preventDefault());
