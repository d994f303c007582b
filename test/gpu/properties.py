#!/usr/bin/env python3
"""The device's properties as cuDNN 9.8 or newer writes them (the shape of test/cuda/gpus/*.json), and versions, as one JSON line."""
import ctypes
import json

import torch

# cudnn_graph.h
DEVICEPROP_DESCRIPTOR, DEVICE_ID, JSON_REPRESENTATION, TYPE_INT32, TYPE_CHAR = 38, 2700, 2702, 23, 24


def must(name, status):
    if status != 0:
        raise RuntimeError(f'{name}: expected status 0, got {status}')


def properties_of(cudnn, index):
    descriptor, device, size = ctypes.c_void_p(), ctypes.c_int32(index), ctypes.c_int64()
    one = ctypes.c_int64(1)
    must('create', cudnn.cudnnBackendCreateDescriptor(DEVICEPROP_DESCRIPTOR, ctypes.byref(descriptor)))
    must('set', cudnn.cudnnBackendSetAttribute(descriptor, DEVICE_ID, TYPE_INT32, one, ctypes.byref(device)))
    must('finalize', cudnn.cudnnBackendFinalize(descriptor))

    def read(count, into):
        arguments = JSON_REPRESENTATION, TYPE_CHAR, ctypes.c_int64(count), ctypes.byref(size), into
        must('get', cudnn.cudnnBackendGetAttribute(descriptor, *arguments))

    read(0, None)
    text = ctypes.create_string_buffer(size.value + 1)
    read(size.value, text)
    return json.loads(text.value)


if __name__ == '__main__':
    torch.cuda.init()
    versions = {'torch': torch.__version__, 'cuda': torch.version.cuda, 'cudnn': torch.backends.cudnn.version()}
    # PyTorch has loaded it, from wherever it lies.
    properties = properties_of(ctypes.CDLL('libcudnn.so.9'), 0)
    print(json.dumps({'properties': properties, 'versions': versions}))
