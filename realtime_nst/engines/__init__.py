"""Keras models compiled for the machine that serves, and run. A new backend is a module, its name in backend.py, and a line
in runner.py.

backend.py      which backend and precision suit this machine
runner.py       the runner of each backend; openvino_runner.py, tensorflow_runner.py, jax_runner.py and
                onnxruntime_runner.py one for each backend, device_runner.py the fastest of several devices
cache.py        compiled models on disk, for the next start
interface.py    what a stylizer is put together from, and what runs it
engine.py       a body for one size of frame; strips.py for large pictures, field.py the texture that strokes hang on
stabilizer.py   photos held still
recolour.py     strength and own colours
encoder.py      pictures to style vectors
"""
