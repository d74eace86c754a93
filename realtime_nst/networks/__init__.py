"""The Keras models, one definition of each for every backend.

transform.py     the transform network: image and style vector to image
convolutions.py  what it convolves with
field.py         how it takes the texture field in
strips.py        the same, cut for large pictures
stabilizer.py    holds photos still, before the network
recolour.py      strength and own colours, behind it
encoder.py       any painting to its style vector
onnx_layers.py   these as ONNX; onnx_graph.py the graph that it writes, onnx_filters.py stabilizer and recolour
"""
