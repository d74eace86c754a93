"""The live show: what a user sees and wants while it runs.

show.py        a show with all its outputs, put together
painter.py     Frame -> Frame as the user wishes; pace.py how finely, upscale.py back to full size
remote.py      what steers the show: keys, time, and who watches
controls.py    what the user wants now; settings.py what is remembered
actions.py     the table of what can be done; kinds.py what kinds of values there are, keys.py the keys in the window
window.py      the window; visibility.py whether there is a screen, and it is seen, overlay.py text over it
recorder.py    recordings that start and stop; snapshots.py pictures
picture_folder.py a folder whose pictures are styles; refiner.py the style of a picture made better meanwhile
doctor.py      what a show needs, and how to get what is missing
"""
