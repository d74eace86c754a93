// The picture alone, for OBS and projectors.
import { Link } from "./link.js";
import { Picture } from "./picture.js";

const link = new Link();
new Picture(link, document.getElementById("picture"));
link.open();
