"""The functions a proxy offers to a module, and who answers each.

Which ABI has a function, and since which date, is in ``proxy_abi/data/abi.json``, whose functions
are all here. Where an answer depends on them too, the function looks at ``host.vm.started``.
"""

from collections.abc import Callable, Mapping

from wasmpack.dry_run.host import calls_out, header_maps, streams, values, wasi
from wasmpack.dry_run.host.memory import Status
from wasmpack.dry_run.host.state import Host
from wasmpack.dry_run.host.wasi import Errno
from wasmpack.proxy_abi.abi import WASI_MODULES

HostCall = Callable[..., int | None]
"""Takes the :class:`Host` and the arguments; None is success."""


def _answer(status: int) -> HostCall:
    """The same status for any arguments."""
    return lambda *_: status


def _in_context(status: int) -> HostCall:
    """The same status for any arguments, once there is a context."""

    def call(host: Host, *_: int) -> int:
        host.vm.require_context()
        return status

    return call


_ENV: Mapping[str, HostCall] = {
    "proxy_log": values.log,
    "proxy_get_log_level": values.get_log_level,
    "proxy_get_current_time_nanoseconds": values.get_time,
    "proxy_get_status": values.get_status,
    "proxy_get_configuration": values.get_configuration,
    "proxy_get_buffer_bytes": values.get_buffer,
    "proxy_get_buffer_status": values.get_buffer_status,
    "proxy_set_buffer_bytes": values.set_buffer,
    "proxy_get_property": values.get_property,
    "proxy_set_property": values.set_property,
    "proxy_define_metric": values.define_metric,
    "proxy_record_metric": values.record_metric,
    "proxy_increment_metric": values.increment_metric,
    "proxy_get_metric": values.get_metric,
    "proxy_set_shared_data": values.set_shared_data,
    "proxy_get_shared_data": values.get_shared_data,
    "proxy_register_shared_queue": values.register_shared_queue,
    "proxy_resolve_shared_queue": values.resolve_shared_queue,
    "proxy_enqueue_shared_queue": values.enqueue_shared_queue,
    "proxy_dequeue_shared_queue": values.dequeue_shared_queue,
    "proxy_get_header_map_pairs": header_maps.get_pairs,
    "proxy_set_header_map_pairs": header_maps.set_pairs,
    "proxy_get_header_map_size": header_maps.get_size,
    "proxy_get_header_map_value": header_maps.get_value,
    "proxy_add_header_map_value": header_maps.add,
    "proxy_replace_header_map_value": header_maps.replace,
    "proxy_remove_header_map_value": header_maps.remove,
    "proxy_set_effective_context": streams.set_effective_context,
    "proxy_continue_stream": streams.continue_stream,
    "proxy_continue_response": streams.continue_response,
    "proxy_close_stream": streams.close_stream,
    "proxy_send_local_response": streams.send_local_response,
    "proxy_http_call": calls_out.http,
    "proxy_grpc_call": calls_out.grpc_call,
    "proxy_grpc_stream": calls_out.grpc_stream,
    "proxy_grpc_send": calls_out.grpc_send,
    "proxy_grpc_cancel": calls_out.grpc_cancel,
    "proxy_grpc_close": calls_out.grpc_cancel,
    "proxy_call_foreign_function": calls_out.foreign,
    "proxy_set_tick_period_milliseconds": _in_context(Status.OK),
    "proxy_done": _in_context(Status.NOT_FOUND),
    "proxy_continue_request": _in_context(Status.OK),
    "proxy_clear_route_cache": _in_context(Status.OK),
    "pthread_equal": lambda _, left, right: int(left == right),
    "emscripten_notify_memory_growth": _answer(Status.OK),
}
_WASI: Mapping[str, HostCall] = {
    "args_get": _answer(Errno.SUCCESS),
    "args_sizes_get": wasi.zero({0: 4, 1: 4}),
    "environ_get": wasi.environ,
    "environ_sizes_get": wasi.environ_sizes,
    "clock_res_get": wasi.clock_resolution,
    "clock_time_get": wasi.clock_time,
    "random_get": wasi.random,
    "sched_yield": _answer(Errno.SUCCESS),
    "poll_oneoff": wasi.poll,
    "proc_exit": _in_context(Errno.SUCCESS),  # logs that this is not supported, and goes on
    "sock_accept": wasi.zero({2: 4}, Errno.NOTSUP),
    "sock_recv": wasi.zero({4: 4, 5: 2}, Errno.NOTSUP),
    "sock_send": wasi.zero({4: 4}, Errno.NOTSUP),
    "sock_shutdown": _answer(Errno.NOTSUP),
    "fd_write": wasi.write,
    "fd_pwrite": wasi.write,
    "fd_read": _answer(Errno.NOSYS),
    "fd_pread": _answer(Errno.NOSYS),
    "fd_seek": _in_context(Errno.SUCCESS),
    "fd_tell": wasi.tell,
    "fd_close": _in_context(Errno.SUCCESS),
    "fd_renumber": wasi.renumber,
    "fd_sync": wasi.check_output,
    "fd_datasync": wasi.check_output,
    "fd_allocate": wasi.check_output,
    "fd_advise": _answer(Errno.SUCCESS),
    "fd_readdir": wasi.zero({4: 4}, Errno.EXIST),
    "fd_fdstat_get": wasi.fdstat,
    "fd_fdstat_set_flags": _answer(Errno.NOSYS),
    "fd_fdstat_set_rights": wasi.check_output,
    "fd_filestat_get": _answer(Errno.BADF),
    "fd_filestat_set_size": wasi.check_output,
    "fd_filestat_set_times": wasi.check_output,
    "fd_prestat_get": _answer(Errno.BADF),
    "fd_prestat_dir_name": _answer(Errno.NOSYS),
    "path_open": _answer(Errno.NOENT),
    "path_readlink": wasi.zero({5: 4}, Errno.NOTSUP),
    "path_create_directory": _answer(Errno.NOTSUP),
    "path_filestat_get": _answer(Errno.NOTSUP),
    "path_filestat_set_times": _answer(Errno.NOTSUP),
    "path_link": _answer(Errno.NOTSUP),
    "path_remove_directory": _answer(Errno.NOTSUP),
    "path_rename": _answer(Errno.NOTSUP),
    "path_symlink": _answer(Errno.NOTSUP),
    "path_unlink_file": _answer(Errno.NOTSUP),
}
HOST_FUNCTIONS: Mapping[tuple[str, str], HostCall] = {
    (module, name): call
    for module, rows in {"env": _ENV, **dict.fromkeys(WASI_MODULES, _WASI)}.items()
    for name, call in rows.items()
}
"""By module and name of the import."""
