"""The rules of the tree as data. tidy.py reads every file once and applies them."""

MAX_COLUMNS = 120
MAX_FILE_LINES = 800
MAX_FUNCTION_LINES = 70
# Nothing that is written by hand is longer; what a program wrote belongs below build/.
MAX_FILE_BYTES = 1 << 20

# Folder -> folders whose headers it may include. `tests` and `daemon` may include everything; nothing
# includes `daemon`, `tests` or `tools`.
KUBE_TO_CLIENT = ["kube/object", "kube/schema", "kube/codec", "kube/patch", "kube/client"]
KUBE_TO_CONTROLLER = KUBE_TO_CLIENT + ["kube/cache", "kube/controller"]
ARROWS = {
    "base": [],
    "store": ["base"],
    "kube/object": ["base"],
    "kube/schema": ["base", "kube/object"],
    "kube/codec": ["base", "kube/object", "kube/schema"],
    "kube/patch": ["base", "kube/object", "kube/schema"],
    "kube/client": ["base", "kube/object", "kube/schema", "kube/codec", "kube/patch"],
    "kube/cache": ["base"] + KUBE_TO_CLIENT,
    "kube/controller": ["base", "kube/cache"] + KUBE_TO_CLIENT,
    "kube/apply": ["base"] + KUBE_TO_CONTROLLER,
    "kube/apiserver": ["base", "store"] + KUBE_TO_CLIENT,
    "charts": ["base"],
    "reconcilers": ["base", "charts", "kube/apply"] + KUBE_TO_CONTROLLER,
    "manifests": ["base"],
}
UNRESTRICTED = ["daemon", "tests"]

# Each heavy header has one home; elsewhere a facade stands for it.
HEAVY_HEADERS = {
    "nlohmann/": ["base/json/internal"],
    "yaml.h": ["base/yaml/internal"],
    "openssl/": ["base/tls", "base/http/internal"],
    "nghttp2/": ["base/http"],
    "http_parser.h": ["base/http/internal"],
    "curl/": ["base/http/internal"],
    "sqlite3.h": ["store/internal", "store/sqlite"],
    "git2": ["reconcilers/git/internal"],
    "archive": ["charts/internal"],
    "re2/": ["kube/schema/internal", "charts/internal"],
}

# Pattern -> (what to use instead, folders where it is allowed). Tests of base may use all of them.
BANNED = {
    r"std::thread\b": ("Executor::post", ["base"]),
    r"std::condition_variable": ("WaitPoint", ["base"]),
    r"std::(async|future|promise)\b": ("Future", ["base"]),
    r"sleep_for|sleep_until|\busleep\(|\bnanosleep\(": ("Context::sleep", ["base"]),
    r"\bthread_local\b": ("a member", ["base/internal"]),
    r"_clock::now": ("Clock", ["base", "tests/bench"]),
    r"std::random_device|\brand\(\)|\bsrand\(": ("Random", ["base"]),
    r"std::regex\b": ("RE2", []),
    r"std::(format|expected|print)\b": ("nothing of C++23", []),
    r"\busing namespace\b": ("qualified names", []),
    r"\bnew [A-Z]\w*[({;]": ("std::make_unique", ["base"]),
    r"\bstd::system\(|\bpopen\(": ("base/process.h", []),
    r"std::printf\(|std::cout|std::cerr": ("Logger", ["base", "daemon", "tests"]),
}

# Words that mark unfinished work or speak of how the project is made.
BANNED_WORDS = r"\b(TODO|FIXME|XXX|HACK|placeholder|for now|simplified)\b"

SOURCE_SUFFIXES = (".cpp", ".h")
IGNORED_FOLDERS = {"build", ".git", "tests/golden"}
