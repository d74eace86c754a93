"""A running show steered from outside, and seen there. All of it does the actions of `live/actions.py`, and nothing else.

remotes.py   all that flags ask for, opened and closed together
places.py    where to listen: host and port
server.py    HTTP, on a thread of its own
access.py    who may come in, and how often
api.py       what is at which address
channel.py   one WebSocket: state, figures and frames
pictures.py  the newest frame as a JPEG, for all who look
thumbnails.py every style, painted small from what the camera sees now
cameras.py   which cameras there are, and which the show sees
uploads.py   photos and films from outside, and their paintings back
kiosk.py     pictures that visitors of a booth take and fetch
pages.py     the page and its files, and the link as a QR code
osc.py       Open Sound Control; midi.py knobs, faders and pads
"""
