"""The page: HTML, CSS and plain modules of JavaScript, as browsers take them. Nothing of it comes from the network.

index.html   the studio; view.html the picture alone, for OBS; kiosk.html a booth
studio.css   how it looks, dark and light, wide and narrow
main.js      puts it together
view.js      the picture alone; kiosk.js a booth, and kiosk.css how that looks
link.js      the connection to the show: state, figures, actions
picture.js   the picture, always the newest frame
gallery.js   the styles: click, or drag one onto another
panel.js     sliders and switches, made from the table of actions
jobs.js      photos and films dropped on the page, and their paintings
cameras.js   which camera the show sees
keys.js      the same keys as in the window
"""
