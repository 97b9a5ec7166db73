//! Hostile files, includes, variables, options and command lines.

use super::Input;

fn input(name: &str, pipeline: impl AsRef<[u8]>) -> Input {
    Input {
        name: name.to_owned(),
        files: vec![
            ("p.yaml".to_owned(), pipeline.as_ref().to_vec()),
            ("in.csv".to_owned(), b"x,s\n1,a\n2,b\n".to_vec()),
            (
                "in.jsonl".to_owned(),
                b"{\"x\": 1, \"s\": \"a\"}\n".to_vec(),
            ),
        ],
        arguments: ["run", "p.yaml"].map(str::to_owned).to_vec(),
        environment: Vec::new(),
    }
}

/// A node `a` that reads rows of its own, with `keys`.
pub(super) fn node(keys: &str) -> String {
    format!(
        "name: p\nnodes:\n- name: a\n  source: {{data: {{x: [1, 2, 3], s: [a, b, null]}}}}\n{keys}\n"
    )
}

const SINK: &str = "  sinks: [{path: o.parquet, format: PARQUET}]\n";

pub(super) fn all() -> Vec<Input> {
    let mut all = Vec::new();
    all.extend(yaml());
    all.extend(includes());
    all.extend(variables());
    all.extend(names());
    all.extend(options());
    all.extend(command_lines());
    all.extend(chains());
    all
}

fn yaml() -> Vec<Input> {
    let mut texts: Vec<(String, Vec<u8>)> = Vec::new();
    let mut add = |name: &str, text: Vec<u8>| texts.push((name.to_owned(), text));
    let long = "x".repeat(1_000_000);
    for count in [10, 3_000, 1_000_000] {
        let aliases = "- *a\n".repeat(count);
        add(
            &format!("{count} aliases of a long text"),
            format!("name: &a {long}\nnodes:\n{aliases}").into(),
        );
        add(
            &format!("{count} aliases of a mapping"),
            format!("name: p\nvariables:\n  v: &a {{x: 1, y: [1, 2]}}\nnodes:\n{aliases}").into(),
        );
        let merges = "- {<<: *a, name: n}\n".repeat(count.min(100_000));
        add(
            &format!("{count} merges"),
            format!("name: p\nvariables:\n  v: &a {{k: {long}}}\nnodes:\n{merges}").into(),
        );
    }
    let mut laughs = String::from("name: p\nvariables:\n  a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for n in 1..30 {
        laughs += &format!(
            "  a{n}: &a{n} [*a{0}, *a{0}, *a{0}, *a{0}, *a{0}, *a{0}, *a{0}, *a{0}, *a{0}]\n",
            n - 1
        );
    }
    add("a billion laughs", laughs.into());
    for depth in [100, 127, 128, 1_000, 1_000_000] {
        add(
            &format!("{depth} brackets"),
            format!(
                "name: {}x{}\nnodes: []\n",
                "[".repeat(depth),
                "]".repeat(depth)
            )
            .into(),
        );
        add(
            &format!("{depth} braces"),
            format!(
                "name: {}x{}\nnodes: []\n",
                "{a: ".repeat(depth),
                "}".repeat(depth)
            )
            .into(),
        );
        add(
            &format!("{depth} open brackets"),
            format!("name: {}", "[".repeat(depth)).into(),
        );
        add(
            &format!("{depth} dashes"),
            format!("{} x\n", "- ".repeat(depth.min(10_000))).into(),
        );
        add(
            &format!("{depth} question marks"),
            "? ".repeat(depth.min(100_000)).into(),
        );
        let mut nested = String::new();
        for level in 0..depth.min(2_000) {
            nested += &format!("{}a:\n", " ".repeat(level));
        }
        add(&format!("{depth} blocks"), nested.into());
    }
    for count in [1_000, 100_000, 400_000] {
        let mut keys = String::from("name: p\nnodes: []\n");
        let mut nodes = String::from("name: p\nnodes:\n");
        let mut same = String::from("name: p\n");
        for n in 0..count {
            keys += &format!("k{n}: 1\n");
            nodes += "- {nme: x}\n";
            same += "name: q\n";
        }
        add(&format!("{count} unknown keys"), keys.into());
        add(&format!("{count} wrong nodes"), nodes.into());
        add(&format!("{count} equal keys"), same.into());
        add(
            &format!("{count} unknown anchors"),
            format!("nodes:\n{}", "- *u\n".repeat(count)).into(),
        );
        add(
            &format!("{count} unknown tags"),
            format!("nodes:\n{}", "- !u x\n".repeat(count)).into(),
        );
        add(
            &format!("{count} errors on one line"),
            format!("{{name: p, nodes: [{}]}}", "{q: 1},".repeat(count)).into(),
        );
        add(&format!("{count} documents"), "---\n".repeat(count).into());
        add(&format!("{count} comments"), "# x\n".repeat(count).into());
    }
    for size in [2_000_000, 17_000_000] {
        add(
            &format!("a text of {size}"),
            format!("name: {}\nnodes: []\n", "x".repeat(size)).into(),
        );
        add(
            &format!("a key of {size}"),
            format!("name: p\nnodes: []\n? {}\n: 1\n", "x".repeat(size)).into(),
        );
        add(&format!("{size} blanks"), " ".repeat(size).into());
        add(&format!("{size} zeros"), vec![0; size]);
        add(&format!("{size} tabs"), "\t".repeat(size).into());
        add(
            &format!("a quote of {size}"),
            format!("name: \"{}", "\\\"".repeat(size / 2)).into(),
        );
        add(
            &format!("a number of {size}"),
            format!("name: p\nnodes: {}\n", "9".repeat(size)).into(),
        );
    }
    for (name, bytes) in [
        ("UTF-16", &b"\xff\xfen\0a\0"[..]),
        ("UTF-32", b"\0\0\xfe\xffx"),
        ("Latin-1", b"name: caf\xe9\n"),
        ("a lone byte", b"\x80"),
        ("controls", b"name: \x1b[2J\x07\x9b\nnodes: []\n"),
        ("a directive", b"%YAML 9.9\n---\nname: p\n"),
        (
            "a tag",
            b"!!python/object/apply:os.system ['touch ../touched']\n",
        ),
        ("a set", b"!!set {a, b}\n"),
        ("binary", b"name: !!binary AAAA\nnodes: []\n"),
        ("a float as name", b"name: .nan\nnodes: []\n"),
        ("a recursive anchor", b"name: p\nnodes: &a [*a]\n"),
        ("an anchor of itself", b"&a *a\n"),
        ("an empty key", b"? \n: 1\n"),
        ("a list as key", b"[a, b]: 1\n"),
        ("a scalar", b"1\n"),
        ("a list", b"- 1\n"),
        ("null", b"~\n"),
        ("merging itself", b"&a\n<<: *a\n"),
        ("merging a text", b"<<: x\nname: p\nnodes: []\n"),
        ("flow without end", b"{a: [b, {c: \"d\n"),
        ("a carriage return", b"name: p\rnodes: []\r"),
        ("surrogates", b"name: \"\\uD800\"\nnodes: []\n"),
    ] {
        add(name, bytes.to_vec());
    }
    texts
        .into_iter()
        .map(|(name, text)| input(&format!("yaml: {name}"), text))
        .collect()
}

fn includes() -> Vec<Input> {
    let mut all = Vec::new();
    for target in [
        "/dev/zero",
        "/dev/urandom",
        "/dev/stdin",
        "/dev/tty",
        "/proc/self/mem",
        "/proc/self/environ",
        "/proc/kmsg",
        "/proc/self/fd",
        "/proc",
        "/sys",
        "/",
        ".",
        "..",
        "../canary.txt",
        "p.yaml",
        "./p.yaml",
        "nothing.yaml",
        "",
        "\\0",
        "~/x.yaml",
        "file:///etc/passwd",
        "http://127.0.0.1/x.yaml",
        "s3://bucket/x.yaml",
        "link.yaml",
        "big.yaml",
        "big.sql",
        "many.yaml",
        "chain0.yaml",
        "bad.yaml",
        "folder",
    ] {
        for tag in ["!use", "!update", "!extend"] {
            let mut one = input(
                &format!("include: {tag} {target}"),
                node(&format!("  description: {tag} \"{target}\"\n{SINK}")),
            );
            one.files.push(("big.yaml".into(), vec![b'x'; 1_000_000]));
            one.files.push(("big.sql".into(), vec![b'x'; 17 << 20]));
            one.files.push((
                "many.yaml".into(),
                "- !use big.yaml\n".repeat(10_000).into(),
            ));
            one.files.push(("bad.yaml".into(), vec![0xff, 0xfe, 0]));
            one.files
                .push(("folder/a.yaml".into(), b"!use ../folder".to_vec()));
            for n in 0..300 {
                one.files.push((
                    format!("chain{n}.yaml"),
                    format!("- !use chain{}.yaml\n", n + 1).into(),
                ));
            }
            all.push(one);
        }
        let mut file = input(&format!("pipeline file: {target}"), "");
        file.arguments = vec!["validate".into(), target.into()];
        if !target.is_empty() && target != "\\0" {
            all.push(file);
        }
    }
    let mut nested = input("include: nested files", "name: p\nnodes: !use n9.yaml\n");
    nested.files.push(("n0.yaml".into(), vec![b'x'; 1000]));
    for n in 1..10 {
        nested.files.push((
            format!("n{n}.yaml"),
            format!("- !use n{}.yaml\n", n - 1).repeat(10).into(),
        ));
    }
    all.push(nested);
    all
}

fn variables() -> Vec<Input> {
    let mut all = Vec::new();
    let long = "x".repeat(1_000_000);
    for (name, text) in [
        (
            "itself",
            "name: ${vars.v}\nvariables: {v: '${vars.v}'}\nnodes: []\n".to_owned(),
        ),
        (
            "each other",
            "name: ${vars.v}\nvariables: {v: '${vars.w}', w: '${vars.v}'}\nnodes: []\n".to_owned(),
        ),
        (
            "a long one often",
            format!(
                "name: p\nvariables: {{v: {long}}}\nnodes:\n{}",
                "- a${vars.v}\n".repeat(3000)
            ),
        ),
        (
            "many placeholders",
            format!(
                "name: \"{}\"\nvariables: {{v: {long}}}\nnodes: []\n",
                "${vars.v}".repeat(1_000_000)
            ),
        ),
        (
            "three million",
            format!(
                "name: p\nvariables: {{v: 1}}\nnodes: [{}]\n",
                "${vars.v},".repeat(1_000_000)
            ),
        ),
        (
            "open braces",
            format!("name: \"{}\"\nnodes: []\n", "${".repeat(1_000_000)),
        ),
        (
            "an expression",
            "name: ${{ __import__('os').system('touch ../touched') }}\nnodes: []\n".to_owned(),
        ),
        (
            "a path as name",
            "name: ${vars.../../etc/passwd}\nnodes: []\n".to_owned(),
        ),
        ("no name", "name: ${vars.}\nnodes: []\n".to_owned()),
        (
            "a mapping",
            "name: ${vars.v}\nvariables: {v: {a: 1}}\nnodes: []\n".to_owned(),
        ),
        (
            "a mapping in a text",
            "name: a${vars.v}\nvariables: {v: {a: 1}}\nnodes: []\n".to_owned(),
        ),
        (
            "the environment",
            "name: ${vars.PATH}\nnodes: []\n".to_owned(),
        ),
        ("secrets", "name: ${secrets.a.b}\nnodes: []\n".to_owned()),
    ] {
        all.push(input(&format!("variable: {name}"), text));
    }
    let mut double = String::from("name: ${vars.v0}\nvariables:\n");
    for n in 0..60 {
        double += &format!("  v{n}: ${{vars.v{0}}}${{vars.v{0}}}\n", n + 1);
    }
    all.push(input(
        "variable: doubling texts",
        format!("{double}  v60: x\nnodes: []\n"),
    ));
    let mut lists = String::from("name: p\nnodes: ${vars.v0}\nvariables:\n");
    for n in 0..60 {
        lists += &format!("  v{n}: ['${{vars.v{0}}}', '${{vars.v{0}}}']\n", n + 1);
    }
    all.push(input(
        "variable: doubling lists",
        format!("{lists}  v60: x\n"),
    ));
    all
}

fn names() -> Vec<Input> {
    let mut all = Vec::new();
    for (what, name) in [
        ("long", "n".repeat(300)),
        ("very long", "n".repeat(2_000_000)),
        ("escapes", "\\e[2J\\e]0;t\\a".to_owned()),
        ("bidi", "\\u202E\\u2066abc".to_owned()),
        ("path", "../../touched".to_owned()),
        ("slashes", "a/b//c".to_owned()),
        ("nul", "a\\0b".to_owned()),
        ("new lines", "a\\nb\\r\\nc".to_owned()),
        ("blank", "  ".to_owned()),
        ("dots", "..".to_owned()),
        ("quotes", "a'`b".to_owned()),
        ("braces", "{df}{nodes.a}".to_owned()),
        ("emoji", "🏳️‍🌈".repeat(50)),
    ] {
        all.push(input(
            &format!("name: pipeline, {what}"),
            format!("name: \"{name}\"\nnodes:\n- name: a\n  source: {{data: {{x: [1]}}}}\n{SINK}"),
        ));
        all.push(input(
            &format!("name: node, {what}"),
            format!("name: p\nnodes:\n- name: \"{name}\"\n  source: {{data: {{x: [1]}}}}\n{SINK}"),
        ));
        all.push(input(
            &format!("name: column, {what}"),
            format!("name: p\nnodes:\n- name: a\n  source: {{data: {{\"{name}\": [1]}}}}\n{SINK}"),
        ));
        all.push(input(
            &format!("name: expectation, {what}"),
            node(&format!(
                "  expectations: [{{name: \"{name}\", expr: x > 0}}]\n{SINK}"
            )),
        ));
        all.push(input(
            &format!("name: source node, {what}"),
            format!("name: p\nnodes:\n- name: a\n  source: {{node_name: \"{name}\"}}\n{SINK}"),
        ));
        all.push(input(
            &format!("name: backend, {what}"),
            node(&format!("  dataframe_backend: \"{name}\"\n{SINK}")),
        ));
        all.push(input(
            &format!("name: function, {what}"),
            node(&format!(
                "  transformer: {{nodes: [{{func_name: \"{name}\"}}]}}\n{SINK}"
            )),
        ));
    }
    all
}

fn options() -> Vec<Input> {
    let mut all = Vec::new();
    let values = [
        "-1",
        "0",
        "9223372036854775807",
        "18446744073709551615",
        "1e308",
        ".nan",
        ".inf",
        "'x'",
        "''",
        "true",
        "~",
        "[1, 2]",
        "{a: 1}",
        "\"\\0\"",
        "'日本'",
    ];
    let readers = [
        ("CSV", "in.csv", "separator"),
        ("CSV", "in.csv", "skip_rows"),
        ("CSV", "in.csv", "n_rows"),
        ("CSV", "in.csv", "infer_schema_length"),
        ("CSV", "in.csv", "quote_char"),
        ("CSV", "in.csv", "encoding"),
        ("CSV", "in.csv", "comment_prefix"),
        ("JSONL", "in.jsonl", "infer_schema_length"),
        ("JSONL", "in.jsonl", "n_rows"),
        ("CSV", "in.csv", "no_such_option"),
    ];
    for backend in ["POLARS", "DATAFUSION"] {
        for (format, path, option) in readers {
            for value in values {
                all.push(input(
                    &format!("option: {backend} {format} {option} {value}"),
                    format!("name: p\ndataframe_backend: {backend}\nnodes:\n- name: a\n  source: {{path: {path}, format: {format}, reader_kwargs: {{{option}: {value}}}}}\n{SINK}"),
                ));
            }
        }
        for path in [
            "/dev/zero",
            "/dev/null",
            "/proc/self/mem",
            "/proc/kmsg",
            "nothing",
            "p.yaml",
            ".",
            "*",
            "**/*",
            "[",
            "a{b,c",
            "\\0",
        ] {
            for format in ["CSV", "JSONL", "JSON", "PARQUET", "IPC"] {
                all.push(input(
                    &format!("source: {backend} {format} {path}"),
                    format!("name: p\ndataframe_backend: {backend}\nnodes:\n- name: a\n  source: {{path: \"{path}\", format: {format}}}\n{SINK}"),
                ));
            }
        }
    }
    all
}

fn command_lines() -> Vec<Input> {
    let good = node(SINK);
    let mut all = Vec::new();
    for arguments in [
        vec!["run"],
        vec![""],
        vec!["run", ""],
        vec!["run", "p.yaml", "--select", ""],
        vec!["run", "p.yaml", "--select", "*"],
        vec!["run", "p.yaml", "--select", "[[["],
        vec!["run", "p.yaml", "--var", "x"],
        vec!["run", "p.yaml", "--var", "="],
        vec!["run", "p.yaml", "--jobs", "0"],
        vec!["run", "p.yaml", "--jobs", "99999999"],
        vec!["run", "p.yaml", "--jobs", "65535"],
        vec!["run", "p.yaml", "--memory", "18446744073709551615"],
        vec!["run", "p.yaml", "--memory", "0"],
        vec!["run", "p.yaml", "--backend", "../x"],
        vec!["run", "p.yaml", "--report", "no/such/folder/r.json"],
        vec!["show", "p.yaml", "nothing"],
        vec!["show", "p.yaml", "a"],
        vec!["show", "p.yaml", "a", "--rows", "18446744073709551615"],
        vec!["validate", "p.yaml", "p.yaml"],
        vec!["plan", "p.yaml", "--json"],
        vec!["graph", "p.yaml"],
        vec!["schema", "p.yaml"],
        vec!["-C", "/nothing", "run", "p.yaml"],
        vec!["--error-format", "x", "run", "p.yaml"],
        vec!["run", "--", "--help"],
        vec!["help", "run", "run", "run"],
    ] {
        let mut one = input(&format!("command: {arguments:?}"), &good);
        one.arguments = arguments.into_iter().map(str::to_owned).collect();
        all.push(one);
    }
    for (name, value) in [
        ("TOKIO_WORKER_THREADS", "0"),
        ("TOKIO_WORKER_THREADS", "99999"),
        ("POLARS_MAX_THREADS", "0"),
        ("POLARS_MAX_THREADS", "99999"),
        ("POLARS_MAX_THREADS", "x"),
        ("POLARS_IDEAL_MORSEL_SIZE", "0"),
        ("POLARS_STREAMING_CHUNK_SIZE", "0"),
        ("POLARS_PANIC_ON_ERR", "1"),
        ("POLARS_PARQUET_DECODE_TARGET_VALUES_PER_THREAD", "0"),
        ("RUST_MIN_STACK", "1"),
        ("RAYON_NUM_THREADS", "0"),
        ("RAYON_NUM_THREADS", "-1"),
        ("TMPDIR", "/nothing"),
        ("HOME", ""),
        ("LAKTORY_DATAFRAME_BACKEND", "x"),
        ("LC_ALL", "\u{1b}"),
        ("TZ", "../../x"),
        ("NO_COLOR", "1"),
        ("COLUMNS", "1"),
        ("TERM", "x"),
    ] {
        let mut one = input(&format!("environment: {name}={value}"), &good);
        one.environment.push((name.to_owned(), value.to_owned()));
        all.push(one);
    }
    all
}

/// Nodes and steps that double, chain and fan out.
fn chains() -> Vec<Input> {
    let mut all = Vec::new();
    for backend in ["POLARS", "DATAFUSION"] {
        let head = format!(
            "name: p\ndataframe_backend: {backend}\nnodes:\n- name: n0\n  source: {{data: {{x: [1, 2]}}}}\n"
        );
        for count in [12, 30] {
            let mut joins = head.clone();
            for n in 1..=count {
                joins += &format!(
                    "- name: n{n}\n  source: {{node_name: n{}}}\n  transformer: {{nodes: [{{expr: 'SELECT a.x FROM {{df}} a JOIN {{df}} b ON a.x = b.x'}}]}}\n",
                    n - 1
                );
            }
            all.push(input(
                &format!("chain: {backend} {count} joins with itself"),
                joins,
            ));
        }
        for count in [200, 1_000] {
            let mut steps = head.clone();
            for n in 1..=count {
                steps += &format!(
                    "- name: n{n}\n  source: {{node_name: n{}}}\n  transformer: {{nodes: [{{func_name: filter, func_args: [nw.col('x') > 0]}}]}}\n",
                    n - 1
                );
            }
            let mut validated = input(&format!("chain: {backend} {count} nodes"), steps);
            validated.arguments[0] = "validate".into();
            all.push(validated);
        }
        for count in [8, 16, 60] {
            let step = "{expr: 'SELECT * FROM {df} UNION ALL SELECT * FROM {df}'}";
            let mut doubled = head.trim_end().to_owned();
            doubled += &format!(
                "\n  transformer: {{nodes: [{}]}}\n",
                vec![step; count].join(", ")
            );
            let mut validated = input(&format!("chain: {backend} {count} doublings"), doubled);
            validated.arguments[0] = "validate".into();
            all.push(validated);
        }
        for count in [100, 2_000] {
            let rules: Vec<String> = (0..count)
                .map(|n| format!("{{name: e{n}, expr: x > {n}, action: WARN}}"))
                .collect();
            let text = format!("{head}  expectations: [{}]\n", rules.join(", "));
            let mut validated = input(&format!("chain: {backend} {count} expectations"), text);
            validated.arguments[0] = "validate".into();
            all.push(validated);
        }
    }
    all
}
