//! Every option of the command line: its names, its environment variable, its default, what it is for.

use clap::{Arg, ArgAction, Command};

use super::Value;

/// What an option takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Flag,
    Text,
    Int,
    /// A whole number from 1 on.
    Positive,
    /// A finite number above 0.
    Rate,
    /// `20`, `3m`, `1h20m`: seconds in the end.
    TimeSpan,
    LogLevel,
    /// A whole number from 0 on, or `auto`.
    Seed,
    List,
    /// A check, each time that it is given: see [`crate::verdict::Check`].
    Each,
    /// A text, each time that it is given.
    EachText,
    /// What Locust once had. Using it says what to use instead.
    Removed {
        takes_value: bool,
        instead: &'static str,
    },
}

/// What an option is when nobody sets it. A flag is off, a list is nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Default {
    Nothing,
    Off,
    Int(i64),
    Text(&'static str),
}

/// One option.
#[derive(Debug, Clone, Copy)]
pub struct Spec {
    pub dest: &'static str,
    /// In the order in which messages list them.
    pub names: &'static [&'static str],
    pub kind: Kind,
    pub env: Option<&'static str>,
    /// Locust has no such option: a locustfile that declares it gets it.
    pub is_ours: bool,
    pub default: Default,
    pub metavar: &'static str,
    pub group: &'static str,
    /// Empty hides it from the help.
    pub help: &'static str,
}

impl Spec {
    /// `-u/--users`, as messages name it.
    pub fn label(&self) -> String {
        self.names.join("/")
    }

    pub fn long(&self) -> &'static str {
        self.names.iter().find(|name| name.starts_with("--")).copied().unwrap_or_default()
    }

    pub fn short(&self) -> Option<char> {
        self.names.iter().find(|name| !name.starts_with("--")).and_then(|name| name.chars().nth(1))
    }

    pub fn takes_value(&self) -> bool {
        !matches!(self.kind, Kind::Flag | Kind::Removed { takes_value: false, .. })
    }

    pub fn default(&self) -> Value {
        match (self.kind, self.default) {
            (Kind::Flag, Default::Nothing) | (_, Default::Off) => Value::Flag(false),
            (Kind::Each | Kind::EachText, Default::Nothing) => Value::List(Vec::new()),
            (_, Default::Nothing) => Value::Nothing,
            (_, Default::Int(number)) => Value::Int(number),
            (_, Default::Text(text)) => Value::Text(text.into()),
        }
    }
}

pub const LOG_LEVELS: [&str; 5] = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"];
pub const USER_CLASSES: &str = "user_classes";
pub const USER_CLASSES_ENV: &str = "LOCUST_USER_CLASSES";

const COMMON: &str = "Common options";
const WEB: &str = "Web UI options";
const MASTER: &str = "Master options";
const WORKER: &str = "Worker options";
const TAGS: &str = "Tag options";
const STATISTICS: &str = "Request statistics options";
const LOGGING: &str = "Logging options";
const OTHER: &str = "Other options";

const fn option(
    names: &'static [&'static str],
    dest: &'static str,
    kind: Kind,
    group: &'static str,
    help: &'static str,
) -> Spec {
    Spec { dest, names, kind, env: None, is_ours: false, default: Default::Nothing, metavar: "", group, help }
}

impl Spec {
    const fn env(mut self, env: &'static str) -> Self {
        self.env = Some(env);
        self
    }

    const fn ours(mut self) -> Self {
        self.is_ours = true;
        self
    }

    const fn metavar(mut self, metavar: &'static str) -> Self {
        self.metavar = metavar;
        self
    }

    const fn int(mut self, default: i64) -> Self {
        self.default = Default::Int(default);
        self
    }

    const fn off(mut self) -> Self {
        self.default = Default::Off;
        self
    }

    const fn text(mut self, default: &'static str) -> Self {
        self.default = Default::Text(default);
        self
    }
}

#[rustfmt::skip]
pub const OPTIONS: &[Spec] = &[
    option(&["-h", "--help"], "help", Kind::Flag, COMMON, "Show this help and exit"),
    option(&["-f", "--locustfile"], "locustfile", Kind::Text, COMMON,
        "The file with your test, several separated by commas, a directory, or a URL")
        .env("LOCUST_LOCUSTFILE").metavar("filename").text("locustfile.py"),
    option(&["--config"], "config", Kind::Text, COMMON, "A file with further options").metavar("filename"),
    option(&["-H", "--host"], "host", Kind::Text, COMMON, "What to test, e.g. https://www.example.com").env("LOCUST_HOST").metavar("base url"),
    option(&["-u", "--users"], "num_users", Kind::Int, COMMON, "How many users run at the peak").env("LOCUST_USERS").metavar("int"),
    option(&["-r", "--spawn-rate"], "spawn_rate", Kind::Rate, COMMON, "How many users start per second").env("LOCUST_SPAWN_RATE").metavar("float"),
    option(&["-t", "--run-time"], "run_time", Kind::TimeSpan, COMMON,
        "Stop after this time, e.g. 300s, 20m, 3h, 1h30m. Without it the test runs until it is stopped")
        .env("LOCUST_RUN_TIME").metavar("time string"),
    option(&["-l", "--list"], "list_commands", Kind::Flag, COMMON, "List the user classes and exit"),
    option(&["--config-users"], "config_users", Kind::List, COMMON, "Settings of user classes, as JSON or files with it")
        .env("LOCUST_CONFIG_USERS").metavar("json or file.json"),

    option(&["--web-host"], "web_host", Kind::Text, WEB, "Where the web page listens; everywhere by default").env("LOCUST_WEB_HOST").metavar("ip").text(""),
    option(&["--web-host-display-name"], "web_host_display_name", Kind::Text, WEB, "").env("LOCUST_WEB_HOST_DISPLAY_NAME"),
    option(&["--web-port", "-P"], "web_port", Kind::Int, WEB, "The web page's port").env("LOCUST_WEB_PORT").metavar("port number").int(8089),
    option(&["--headless"], "headless", Kind::Flag, WEB, "No web page: start at once, with -u and -t").env("LOCUST_HEADLESS"),
    option(&["--autostart"], "autostart", Kind::Flag, WEB, "Start at once, but keep the web page").env("LOCUST_AUTOSTART"),
    option(&["--autoquit"], "autoquit", Kind::Int, WEB, "With --autostart: exit so many seconds after the test has ended")
        .env("LOCUST_AUTOQUIT").metavar("seconds").int(-1),
    option(&["--headful"], "headful", Kind::Flag, WEB, "").env("LOCUST_HEADFUL"),
    option(&["--web-auth"], "web_auth",
        Kind::Removed { takes_value: true, instead: "The --web-auth option is gone, use --web-login" }, WEB, "").env("LOCUST_WEB_AUTH"),
    option(&["--web-login"], "web_login", Kind::Flag, WEB, "Protect the web page with a login").env("LOCUST_WEB_LOGIN"),
    option(&["--tls-cert"], "tls_cert", Kind::Text, WEB, "Certificate, to serve the web page over HTTPS").env("LOCUST_TLS_CERT").metavar("filename").text(""),
    option(&["--tls-key"], "tls_key", Kind::Text, WEB, "Private key, to serve the web page over HTTPS").env("LOCUST_TLS_KEY").metavar("filename").text(""),
    option(&["--class-picker"], "class_picker", Kind::Flag, WEB, "Choose user and shape classes on the web page").env("LOCUST_USERCLASS_PICKER"),
    option(&["--build-path"], "build_path", Kind::Text, WEB, "").env("LOCUST_BUILD_PATH").text(""),
    option(&["--legacy-ui"], "legacy_ui",
        Kind::Removed { takes_value: false, instead: "--legacy-ui is no longer supported, remove the parameter to continue" }, WEB, "").env("LOCUST_LEGACY_UI").off(),
    option(&["--web-base-path"], "web_base_path", Kind::Text, WEB, "The web page's path, e.g. /locust").env("LOCUST_WEB_BASE_PATH").metavar("path").text(""),
    option(&["--web-allowed-host"], "web_allowed_hosts", Kind::EachText, WEB, "A name that browsers may ask for the web page by, beside local ones; may be given several times")
        .env("LOCUST_WEB_ALLOWED_HOST").metavar("name").ours(),

    option(&["--master"], "master", Kind::Flag, MASTER, "Be the master, to which workers connect").env("LOCUST_MODE_MASTER"),
    option(&["--master-bind-host"], "master_bind_host", Kind::Text, MASTER, "Where the master listens; everywhere by default")
        .env("LOCUST_MASTER_BIND_HOST").metavar("ip").text("*"),
    option(&["--master-bind-port"], "master_bind_port", Kind::Int, MASTER, "The master's port")
        .env("LOCUST_MASTER_BIND_PORT").metavar("port number").int(5557),
    option(&["--expect-workers"], "expect_workers", Kind::Positive, MASTER, "Start when so many workers are ready (with --headless or --autostart)")
        .env("LOCUST_EXPECT_WORKERS").metavar("int").int(1),
    option(&["--expect-workers-max-wait"], "expect_workers_max_wait", Kind::Int, MASTER, "Give up on them after so many seconds; 0 waits for ever")
        .env("LOCUST_EXPECT_WORKERS_MAX_WAIT").metavar("int").int(0),
    option(&["--enable-rebalancing"], "enable_rebalancing", Kind::Flag, MASTER, "Distribute the users anew when workers come or go during a test"),
    option(&["--no-locustfile-transfer"], "no_locustfile_transfer", Kind::Flag, MASTER, "Send no worker the locustfile")
        .env("GREGARIA_NO_LOCUSTFILE_TRANSFER").ours(),
    option(&["--cluster-key"], "cluster_key", Kind::Text, MASTER,
        "A secret that the master and its workers share: it encrypts what they say, and nobody without it gets in. The variable keeps it out of the list of processes")
        .env("LOCUST_CLUSTER_KEY").metavar("key").ours(),
    option(&["--expect-slaves"], "expect_slaves",
        Kind::Removed { takes_value: false, instead: "The --expect-slaves parameter has been renamed --expect-workers" }, MASTER, ""),

    option(&["--worker"], "worker", Kind::Flag, WORKER, "Be a worker of a master").env("LOCUST_MODE_WORKER"),
    option(&["--processes"], "processes", Kind::Int, WORKER, "Run so many processes; -1 for one per core").env("LOCUST_PROCESSES").metavar("int"),
    option(&["--slave"], "slave", Kind::Removed { takes_value: false, instead: "The --slave parameter has been renamed --worker" }, WORKER, ""),
    option(&["--master-host"], "master_host", Kind::Text, WORKER, "The master's host").env("LOCUST_MASTER_NODE_HOST").metavar("hostname").text("127.0.0.1"),
    option(&["--master-port"], "master_port", Kind::Int, WORKER, "The master's port").env("LOCUST_MASTER_NODE_PORT").metavar("port number").int(5557),

    option(&["-T", "--tags"], "tags", Kind::List, TAGS, "Run only tasks with at least one of these tags").env("LOCUST_TAGS").metavar("tag"),
    option(&["-E", "--exclude-tags"], "exclude_tags", Kind::List, TAGS, "Run no task with any of these tags").env("LOCUST_EXCLUDE_TAGS").metavar("tag"),

    option(&["--csv"], "csv_prefix", Kind::Text, STATISTICS,
        "Write the statistics to <filename>_stats.csv, _stats_history.csv, _failures.csv, _exceptions.csv and _phases.csv")
        .env("LOCUST_CSV").metavar("filename"),
    option(&["--csv-full-history"], "stats_history_enabled", Kind::Flag, STATISTICS, "With --csv: a history of every entry, not of the total only")
        .env("LOCUST_CSV_FULL_HISTORY"),
    option(&["--print-stats"], "print_stats", Kind::Flag, STATISTICS, "Print the statistics now and then also with a web page").env("LOCUST_PRINT_STATS"),
    option(&["--plain"], "plain", Kind::Flag, STATISTICS, "In a terminal, too, print the statistics now and then instead of following them in place")
        .env("GREGARIA_PLAIN").ours(),
    option(&["--only-summary"], "only_summary", Kind::Flag, STATISTICS, "Print the statistics at the end only").env("LOCUST_ONLY_SUMMARY"),
    option(&["--reset-stats"], "reset_stats", Kind::Flag, STATISTICS, "Begin the statistics anew when all users have started").env("LOCUST_RESET_STATS"),
    option(&["--html"], "html_file", Kind::Text, STATISTICS, "Write a report; {u}, {r} and {t} in its name stand for users, spawn rate and run time")
        .env("LOCUST_HTML").metavar("filename"),
    option(&["--json"], "json", Kind::Flag, STATISTICS, "Print the final statistics as JSON on stdout"),
    option(&["--json-file"], "json_file", Kind::Text, STATISTICS, "Write the final statistics as JSON to <filename>.json").metavar("filename"),
    option(&["--check"], "checks", Kind::Each, STATISTICS,
        "What the run must keep to, e.g. 'GET /orders: p95 < 500ms, fail_ratio < 1%'; exit code 3 if it does not. Repeatable")
        .env("GREGARIA_CHECK").metavar("check").ours(),
    option(&["--abort-on-check"], "abort_on_check", Kind::Flag, STATISTICS, "Stop as soon as a check with `over` is broken")
        .env("GREGARIA_ABORT_ON_CHECK").ours(),
    option(&["--junit"], "junit", Kind::Text, STATISTICS, "Write the checks' results as JUnit XML").env("GREGARIA_JUNIT").metavar("filename").ours(),

    option(&["--hgrm"], "hgrm_prefix", Kind::Text, STATISTICS,
        "Write the response times as HdrHistogram logs to <filename>.hlog, and their distribution to <filename>.hgrm")
        .env("GREGARIA_HGRM").metavar("filename").ours(),

    option(&["--skip-log-setup"], "skip_log_setup", Kind::Flag, LOGGING, "Leave logging as Python or the locustfile has it").env("LOCUST_SKIP_LOG_SETUP"),
    option(&["--loglevel", "-L"], "loglevel", Kind::LogLevel, LOGGING, "DEBUG, INFO, WARNING, ERROR or CRITICAL").env("LOCUST_LOGLEVEL").metavar("level").text("INFO"),
    option(&["--logfile"], "logfile", Kind::Text, LOGGING, "Log to this file instead of stderr").env("LOCUST_LOGFILE").metavar("filename"),

    option(&["--show-task-ratio"], "show_task_ratio", Kind::Flag, OTHER, "Print how often each task runs and exit"),
    option(&["--show-task-ratio-json"], "show_task_ratio_json", Kind::Flag, OTHER, "The same as JSON"),
    option(&["--version", "-V"], "version", Kind::Flag, OTHER, "Show the version and exit"),
    option(&["--exit-code-on-error"], "exit_code_on_error", Kind::Int, OTHER, "The exit code when requests failed or tasks raised")
        .env("LOCUST_EXIT_CODE_ON_ERROR").metavar("int").int(1),
    option(&["-s", "--stop-timeout"], "stop_timeout", Kind::TimeSpan, OTHER, "How long a running task may take to end when the test stops")
        .env("LOCUST_STOP_TIMEOUT").metavar("number").int(0),
    option(&["--equal-weights"], "equal_weights", Kind::Flag, OTHER, "Let every task and every class be as likely as any other"),
    option(&["--profile"], "profile", Kind::Text, OTHER, "A label for the run").metavar("PROFILE"),
    option(&["--otel"], "otel", Kind::Flag, OTHER, "Report to OpenTelemetry").env("LOCUST_ENABLE_OPENTELEMETRY"),
    option(&["--io-threads"], "io_threads", Kind::Positive, OTHER, "Threads that send and receive; as many as it takes by default")
        .env("GREGARIA_IO_THREADS").metavar("int").ours(),
    option(&["-i", "--iterations"], "iteration_limit", Kind::Positive, OTHER,
        "Run so many tasks, over all users, and stop when they have ended")
        .env("GREGARIA_ITERATIONS").metavar("int").ours(),
    option(&["--seed"], "random_seed", Kind::Seed, OTHER,
        "Let every user's random choices and waits repeat: a whole number, or `auto` for one that the log tells")
        .env("LOCUST_SEED").metavar("number").ours(),
];

/// The option with one of these names.
pub fn named(name: &str) -> Option<&'static Spec> {
    OPTIONS.iter().find(|option| option.names.contains(&name))
}

pub fn with_dest(dest: &str) -> &'static Spec {
    OPTIONS.iter().find(|option| option.dest == dest).expect("a destination of the table")
}

/// The table as clap has it.
pub fn command() -> Command {
    let positional = Arg::new(USER_CLASSES)
        .num_args(0..)
        .value_name("UserClass")
        .help_heading("User classes")
        .help("The user classes to run, as listed by --list; all of them by default [env:LOCUST_USER_CLASSES]");
    Command::new("locust")
        .disable_help_flag(true)
        .disable_version_flag(true)
        .args_override_self(true)
        .max_term_width(100)
        .help_template("Usage: locust [options] [UserClass ...]\n\n{all-args}{after-help}")
        .after_help(EXAMPLES)
        .args(OPTIONS.iter().map(argument))
        .arg(positional)
}

/// The help, with `more` before its examples: options of a locustfile's own.
pub fn help(more: &str) -> String {
    command().after_help(format!("{more}{EXAMPLES}")).render_help().to_string()
}

const EXAMPLES: &str = "Options may also stand in files, by their long names, one a line: `users = 100` in ./locust.conf, ~/.locust.conf or the \
file that --config names, and in the table [tool.locust] of ./pyproject.toml. What is typed wins over environment \
variables, and those over files.

Examples:

    locust -f my_test.py -H https://www.example.com --headless
    locust --headless -u 100 -r 10 -t 20m --csv result MyUser AnotherUser

Documentation of the options: https://docs.locust.io/en/stable/configuration.html";

fn argument(option: &Spec) -> Arg {
    let argument = Arg::new(option.dest)
        .long(&option.long()[2..])
        .help_heading(option.group)
        .hide(option.help.is_empty())
        .help(described(option));
    let argument = option.short().into_iter().fold(argument, Arg::short);
    match option.kind {
        Kind::List => argument.num_args(0..).value_name(option.metavar),
        _ if option.takes_value() => argument.allow_negative_numbers(true).value_name(option.metavar),
        _ => argument.action(ArgAction::SetTrue),
    }
}

fn described(option: &Spec) -> String {
    let default = match option.default {
        Default::Int(number) => format!(" [default: {number}]"),
        Default::Text(text) if !text.is_empty() => format!(" [default: {text}]"),
        _ => String::new(),
    };
    // In one word, which no line break tears apart.
    let env = option.env.map_or(String::new(), |env| format!(" [env:{env}]"));
    format!("{}{default}{env}", option.help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_one_that_clap_takes() {
        command().debug_assert();
    }

    #[test]
    fn help_is_grouped() {
        insta::assert_snapshot!("help", command().term_width(100).render_help().to_string());
    }
}
