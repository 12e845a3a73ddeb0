"""Names that are not here, or are of another kind, and why. An entry holds for all that is in a module or a class.

What is `ours` is not in Locust: a locustfile that uses it runs here only, and the documentation says so.
"""

from __future__ import annotations

VERSION = "the release whose behaviour this is, and our own after a `+`"
ENGINES_NODES = (
    "sockets, heartbeats, reports and the watch over the other side are the engine's, which never waits for Python"
)
CIRCLE = "importing it there would go round in a circle"
FILES = "configuration files are read by the engine"
MADE_BY_THE_SESSION = "a session makes its responses; nobody else can"
SAME_ARGUMENTS = "the same arguments, taken as one set: telling them apart costs time in each request"
TIMINGS = "ours: where a response's time went"
HTTP2 = "ours: `http2 = True`"
OF_REQUESTS = "used by Locust's own adapter, and requests has it"
ENGINES_AGENT = "the engine sends; the agent holds what locustfiles set on it, and makes no requests of its own"
ENGINES_TABLE = "read from the engine's table"
ENGINES_FILES = "the files are the engine's, written on a thread of its own"
INSTALLED = "the path of the installation is in it"
WATCHED = "tells the engine when a method is replaced"

DIFFERENT: dict[str, str] = {
    "locust.input_events.WindowsKeyPoller": "asks Python's `msvcrt`, and keeps nothing itself",
    "locust._version.version": VERSION,
    "locust._version.version_tuple": VERSION,
    "locust.argument_parser.version": VERSION,
    "locust.main.version": VERSION,
    "locust.argument_parser.LocustConfigParser": FILES,
    "locust.argument_parser.LocustTomlConfigParser": FILES,
    "locust.argument_parser.LocustArgumentParser.convert_item_to_command_line_arg": FILES,
    "locust.argument_parser.LocustArgumentParser.format_values": FILES,
    "locust.argument_parser.LocustArgumentParser.get_command_line_key_for_unknown_config_file_setting": FILES,
    "locust.argument_parser.LocustArgumentParser.get_items_for_config_file_output": FILES,
    "locust.argument_parser.LocustArgumentParser.get_possible_config_keys": FILES,
    "locust.argument_parser.LocustArgumentParser.get_source_to_settings_dict": FILES,
    "locust.argument_parser.LocustArgumentParser.print_values": FILES,
    "locust.argument_parser.LocustArgumentParser.write_config_file": FILES,
    "locust.argument_parser.LocustArgumentParser.original_add_argument_method": "what `configargparse` keeps of argparse",
    "locust.argument_parser.Message": ENGINES_NODES,
    "locust.argument_parser.zmqrpc": ENGINES_NODES,
    "locust.argument_parser.exit_handler": ENGINES_NODES,
    "locust.argument_parser.download_locustfile_from_master": ENGINES_NODES,
    "locust.argument_parser.parse_locustfiles_from_master": ENGINES_NODES,
    "locust.argument_parser.retrieve_locustfiles_from_master": ENGINES_NODES,
    "locust.clients.DEFAULT_CA_BUNDLE_PATH": OF_REQUESTS,
    "locust.clients.basestring": OF_REQUESTS,
    "locust.clients.HttpSession.request": SAME_ARGUMENTS,
    "locust.clients.HttpSession.get": SAME_ARGUMENTS,
    "locust.clients.HttpSession.head": SAME_ARGUMENTS,
    "locust.clients.HttpSession.options": SAME_ARGUMENTS,
    "locust.clients.HttpSession.delete": SAME_ARGUMENTS,
    "locust.clients.HttpSession.patch": SAME_ARGUMENTS,
    "locust.clients.HttpSession.put": SAME_ARGUMENTS,
    "locust.clients.ResponseContextManager.__init__": MADE_BY_THE_SESSION,
    "locust.clients.ResponseContextManager.wrap_response": MADE_BY_THE_SESSION,
    "locust.clients.ResponseContextManager.timings": TIMINGS,
    "locust.clients.RestResponseContextManager.__init__": MADE_BY_THE_SESSION,
    "locust.clients.RestResponseContextManager.wrap_response": MADE_BY_THE_SESSION,
    "locust.clients.RestResponseContextManager.timings": TIMINGS,
    "locust.contrib.csv_request_logger.logger": "nothing is logged there",
    "locust.contrib.fasthttp.ErrorResponse.__init__": "both may be left out",
    "locust.contrib.fasthttp.ErrorResponse.request_meta": "as of any other response",
    "locust.contrib.fasthttp.ErrorResponse.timings": TIMINGS,
    "locust.contrib.fasthttp.FastHttpSession.__init__": "`user` before it, by name: what `FastHttpUser` sets",
    "locust.contrib.fasthttp.FastHttpSession.request": SAME_ARGUMENTS,
    "locust.contrib.fasthttp.FastHttpUser.http2": HTTP2,
    "locust.contrib.fasthttp.FastRequest.original_origin": ENGINES_AGENT,
    "locust.contrib.fasthttp.FastRequest.redirect": ENGINES_AGENT,
    "locust.contrib.fasthttp.FastRequest.set_url": ENGINES_AGENT,
    "locust.contrib.fasthttp.FastResponse.__init__": MADE_BY_THE_SESSION,
    "locust.contrib.fasthttp.FastResponse.error": "as of an `ErrorResponse`",
    "locust.contrib.fasthttp.FastResponse.request_meta": "as of a response in a `with` block",
    "locust.contrib.fasthttp.FastResponse.timings": TIMINGS,
    "locust.contrib.fasthttp.LocustBadStatusCode": "it has what geventhttpclient's `BadStatusCode` has",
    "locust.contrib.fasthttp.LocustUserAgent": ENGINES_AGENT,
    "locust.contrib.fasthttp.ResponseContextManager.__init__": MADE_BY_THE_SESSION,
    "locust.contrib.fasthttp.ResponseContextManager.error": "as of an `ErrorResponse`",
    "locust.contrib.fasthttp.ResponseContextManager.timings": TIMINGS,
    "locust.contrib.fasthttp.RestResponseContextManager.__init__": MADE_BY_THE_SESSION,
    "locust.contrib.fasthttp.RestResponseContextManager.timings": TIMINGS,
    "locust.event.EventHook": WATCHED,
    "locust.event.DeprecatedEventHook": WATCHED,
    "locust.html.DEFAULT_BUILD_PATH": INSTALLED,
    "locust.web.DEFAULT_BUILD_PATH": INSTALLED,
    "locust.web.render_template_from": INSTALLED,
    "locust.web.version": VERSION,
    "locust.html.render_template_from": INSTALLED,
    "locust.rpc.protocol.ObjectId": "BSON's, where a package has it",
    "locust.rpc.protocol.decode": ENGINES_NODES,
    "locust.rpc.protocol.encode": ENGINES_NODES,
    "locust.rpc.zmqrpc.BaseSocket.__init__": ENGINES_NODES,
    "locust.rpc.zmqrpc.BaseSocket.ipv4_only": ENGINES_NODES,
    "locust.rpc.zmqrpc.BaseSocket.send": ENGINES_NODES,
    "locust.rpc.zmqrpc.BaseSocket.send_to_client": ENGINES_NODES,
    "locust.rpc.zmqrpc.Client.ipv4_only": ENGINES_NODES,
    "locust.rpc.zmqrpc.Client.send": ENGINES_NODES,
    "locust.rpc.zmqrpc.Client.send_to_client": ENGINES_NODES,
    "locust.rpc.zmqrpc.Server.ipv4_only": ENGINES_NODES,
    "locust.rpc.zmqrpc.Server.send": ENGINES_NODES,
    "locust.rpc.zmqrpc.Server.send_to_client": ENGINES_NODES,
    "locust.rpc.zmqrpc.retry": ENGINES_NODES,
    "locust.runners.MasterRunner.client_listener": ENGINES_NODES,
    "locust.runners.MasterRunner.handle_message": ENGINES_NODES,
    "locust.runners.MasterRunner.heartbeat_worker": ENGINES_NODES,
    "locust.runners.MasterRunner.reset_connection": ENGINES_NODES,
    "locust.runners.WorkerRunner.client": ENGINES_NODES,
    "locust.runners.WorkerRunner.connect_to_master": ENGINES_NODES,
    "locust.runners.WorkerRunner.heartbeat": ENGINES_NODES,
    "locust.runners.WorkerRunner.heartbeat_timeout_checker": ENGINES_NODES,
    "locust.runners.WorkerRunner.last_received_spawn_timestamp": ENGINES_NODES,
    "locust.runners.WorkerRunner.logs_reporter": ENGINES_NODES,
    "locust.runners.WorkerRunner.stats_reporter": ENGINES_NODES,
    "locust.runners.WorkerRunner.worker": ENGINES_NODES,
    "locust.runners.WorkerRunner.master_is_ours": "ours: whether more than Locust's messages can be said",
    "locust.html.MasterRunner": CIRCLE,
    "locust.shape.Runner": CIRCLE,
    "locust.stats.CachedResponseTimes": ENGINES_TABLE,
    "locust.stats.EntriesDict": ENGINES_TABLE,
    "locust.stats.RequestStats": ENGINES_TABLE,
    "locust.stats.print_phases": "ours: the table of phases",
    "locust.stats.StatsCSVFileWriter": ENGINES_FILES,
    "locust.stats.StatsEntry.response_times_cache": ENGINES_TABLE,
    "locust.stats.StatsEntry.unserialize": "`stats` may be left out",
    "locust.stats.StatsEntry.phases": "ours: where its response times went",
    "locust.user.markov_taskset.MarkovTaskSet.__init__": "its only argument, by its name",
    "locust.env.Environment.annotate": "ours: a note in the charts and the files",
    "locust.env.Environment.checks": "ours: what a run is judged by",
    "locust.env.Environment.seed": "ours: the random numbers of a run repeat",
    "locust.user.users.HttpUser.http2": HTTP2,
    "locust.user.users.PytestUser.fixtures": "pytest itself makes the fixtures, once for each user",
}
