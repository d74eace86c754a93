"""The Keras models, one definition of each for every backend.

transform.py   the transform network: image and style vector to image
strips.py      the same, cut for large pictures
stabilizer.py  holds photos still, before the network
recolour.py    strength and own colours, behind it
"""
