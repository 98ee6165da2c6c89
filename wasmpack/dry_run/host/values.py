"""The host's side of what a plugin reads, reports and keeps: log, clock, configuration, buffers,
properties, metrics, shared data and queues.

Answers as Envoy gives them before any request is there, observed with Envoy 1.40.0
(``tests/agreement/test_host_answers.py`` asks it again); proxy-wasm-cpp-host, src/exports.cc;
Envoy, source/extensions/common/wasm/context.cc.
"""

import time

from wasmpack.dry_run.host.memory import Refused, Status, found
from wasmpack.dry_run.host.properties import property_value
from wasmpack.dry_run.host.state import Host

_LAST_BUFFER, _LAST_LOG_LEVEL, _LAST_METRIC_TYPE = 8, 5, 2
_INFO = 2
_COUNTER, _HISTOGRAM = 0, 2


def proxy_log(host: Host, level: int, address: int, size: int) -> None:
    if level > _LAST_LOG_LEVEL:
        raise Refused(Status.BAD_ARGUMENT)
    text = host.memory.text(address, size)
    if level:
        host.vm.note(text)


def proxy_get_log_level(host: Host, result: int) -> None:
    host.memory.put(result, _INFO)


def proxy_get_current_time_nanoseconds(host: Host, result: int) -> None:
    host.memory.put(result, time.time_ns(), 8)


def proxy_get_status(host: Host, code: int, data: int, size: int) -> None:
    host.memory.put(code, Status.OK)
    host.memory.give(b"", data, size)


def proxy_get_configuration(host: Host, data: int, size: int) -> None:
    host.memory.give(host.vm.configuration, data, size)


def proxy_get_buffer_bytes(
    host: Host, kind: int, start: int, length: int, data: int, size: int
) -> None:
    found_there = _buffer(host, kind)
    host.memory.give(bytes(found_there[start : start + length]), data, size)


def proxy_get_buffer_status(host: Host, kind: int, size: int, flags: int) -> None:
    host.memory.put(size, len(_buffer(host, kind)))
    host.memory.put(flags, 0)


def proxy_set_buffer_bytes(
    host: Host, kind: int, start: int, length: int, data: int, size: int
) -> Status:
    """Put text before, behind, or in place of all of a body (Envoy, context.cc, ``Buffer``)."""
    buffer = _buffer(host, kind)
    text = host.memory.text(data, size)
    if not isinstance(buffer, bytearray):
        return Status.BAD_ARGUMENT
    host.vm.kept.add(len(text))
    if start == 0:
        buffer[:length] = text
    elif start >= len(buffer):
        buffer += text
    else:
        return Status.BAD_ARGUMENT
    return Status.OK


def _buffer(host: Host, kind: int) -> bytes | bytearray:
    if kind > _LAST_BUFFER:
        raise Refused(Status.BAD_ARGUMENT)
    buffer = host.vm.buffer(kind)
    if buffer is None:
        raise Refused(Status.NOT_FOUND)
    return buffer


def proxy_get_property(host: Host, path: int, path_size: int, data: int, size: int) -> None:
    name = host.memory.text(path, path_size)
    host.memory.give(property_value(host.vm, name), data, size)


def proxy_set_property(host: Host, path: int, path_size: int, data: int, size: int) -> Status:
    name, value = host.memory.texts((path, path_size), (data, size))
    if host.vm.stream is None:
        return Status.NOT_FOUND
    host.vm.kept.add(len(name) + len(value))
    host.vm.stream.own[name] = value
    return Status.OK


def proxy_define_metric(host: Host, kind: int, name: int, size: int, result: int) -> None:
    metric = (kind, host.memory.text(name, size))
    if kind > _LAST_METRIC_TYPE:
        raise Refused(Status.BAD_ARGUMENT)
    number = 4 + kind + 4 * sum(1 for known in host.vm.metrics if known & 3 == kind)
    host.vm.metrics[number] = metric
    host.shared.metrics.setdefault(metric, 0)
    host.memory.put(result, number)


def proxy_record_metric(host: Host, number: int, value: int) -> None:
    host.vm.require_context()
    metric = found(host.vm.metrics.get(number))
    old = host.shared.metrics[metric] if number & 3 == _COUNTER else 0
    host.shared.metrics[metric] = old + value


def proxy_increment_metric(host: Host, number: int, offset: int) -> None:
    metric = _metric(host, number)
    if number & 3 == _COUNTER and offset <= 0:
        raise Refused(Status.BAD_ARGUMENT)
    host.shared.metrics[metric] += offset


def proxy_get_metric(host: Host, number: int, result: int) -> None:
    value = host.shared.metrics[_metric(host, number)]
    host.memory.put(result, value & (2**64 - 1), 8)


def _metric(host: Host, number: int) -> tuple[int, bytes]:
    """The value of a counter or gauge; histograms cannot be read back."""
    host.vm.require_context()
    if number & 3 >= _HISTOGRAM:
        raise Refused(Status.BAD_ARGUMENT)
    return found(host.vm.metrics.get(number))


def proxy_set_shared_data(
    host: Host, key: int, key_size: int, data: int, size: int, cas: int
) -> None:
    name, value = host.memory.texts((key, key_size), (data, size))
    if not host.shared.set(name, value, cas):
        raise Refused(Status.CAS_MISMATCH)


def proxy_get_shared_data(
    host: Host, key: int, key_size: int, data: int, size: int, cas: int
) -> None:
    value, number = found(host.shared.get(host.memory.text(key, key_size)))
    host.memory.give(value, data, size)
    host.memory.put(cas, number)


def proxy_register_shared_queue(host: Host, name: int, size: int, result: int) -> None:
    host.memory.put(result, host.shared.register(host.memory.text(name, size)))


def proxy_resolve_shared_queue(
    host: Host, vm: int, vm_size: int, name: int, size: int, result: int
) -> None:
    vm_id, text = host.memory.texts((vm, vm_size), (name, size))
    number = None if vm_id else host.shared.resolve(text)
    host.memory.put(result, found(number))


def proxy_enqueue_shared_queue(host: Host, token: int, data: int, size: int) -> None:
    value = host.memory.text(data, size)
    host.shared.enqueue(found(host.shared.queue(token)), value)


def proxy_dequeue_shared_queue(host: Host, token: int, data: int, size: int) -> None:
    host.vm.require_context()
    queue = found(host.shared.queue(token))
    if not queue:
        raise Refused(Status.EMPTY)
    host.memory.give(queue.popleft(), data, size)


def pthread_equal(_host: Host, left: int, right: int) -> int:
    return int(left == right)
