"""Reads a safetensors file into NumPy arrays by name."""
import json
import struct

import numpy

DTYPES = {'F32': numpy.float32, 'I32': numpy.int32}


def read_tensors(path):
    with open(path, 'rb') as file:
        data = file.read()
    (length,) = struct.unpack('<Q', data[:8])
    header = json.loads(data[8 : 8 + length])
    tensors = {}
    for name, entry in header.items():
        if name == '__metadata__':
            continue
        first, last = (8 + length + offset for offset in entry['data_offsets'])
        tensors[name] = numpy.frombuffer(data[first:last], DTYPES[entry['dtype']]).reshape(entry['shape'])
    return tensors
