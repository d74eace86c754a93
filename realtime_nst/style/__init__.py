"""What a style is: a vector for a body, in a file, by name, in mixes, and what a user adds to it. NumPy only.

style.py         a style and a body
architecture.py  the shape of a network in numbers
encoder.py       what finds a vector for any painting, as a file
weightfile.py    their files, read without trusting them
book.py          all styles by name: finding them; mixing.py mixes
from_picture.py  a style from any picture, where there is an encoder for it
crossfade.py     the path between two styles
schedule.py      the style of each moment of a film
field.py         the noise that strokes hang on where a photo is plain
scene.py         the scene on which an encoder tries its vectors
look.py          strength, colours, stability, texture: the numbers
"""
