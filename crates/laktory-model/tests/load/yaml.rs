//! YAML itself: encodings, merges, includes, places.

use super::*;

#[test]
fn encodings_and_empty_files() {
    for (bytes, expected) in [
        (&b""[..], "p.yaml:1:1: error: the file is empty"),
        (b" \n\n", "p.yaml:1:1: error: the file is empty"),
        (b"# only\n", "p.yaml:1:1: error: the file holds no document"),
        (
            b"\xff\xfen\0",
            "p.yaml:1:1: error: the file is UTF-16, not UTF-8",
        ),
        (
            b"name: a\nx: \xc3\x28\n",
            "p.yaml:2:4: error: the file is not UTF-8: invalid byte 0xC3 at offset 11, line 2",
        ),
        (
            b"- a\n",
            "p.yaml:1:1: error: a pipeline is a mapping, but the file holds a list",
        ),
    ] {
        let loaded = load("p.yaml", bytes, &LoadOptions::default());
        assert!(loaded.pipeline.is_none());
        let told = told(&loaded);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with(expected), "{told:?}");
    }
}

#[test]
fn r_yaml_23_merge_keys_follow_the_text() {
    let text = "name: p\nvariables:\n  x: &x {func_name: head, func_args: 3}\n  y: &y {func_name: tail, dataframe_api: NATIVE}\nnodes:\n- name: a\n  source: {path: x, format: CSV}\n  transformer:\n    nodes:\n    - *x\n    - {<<: *x, func_name: last}\n    - {func_name: first, <<: *x}\n    - <<: [*x, *y]\n";
    let pipeline = pipeline(text);
    let names: Vec<&str> = pipeline.nodes[0]
        .transformer
        .as_ref()
        .expect("steps")
        .nodes
        .iter()
        .map(|step| match step {
            TransformerNode::Method(method) => method.func_name.as_str(),
            TransformerNode::Sql(_) => "sql",
        })
        .collect();
    assert_eq!(names, ["head", "last", "head", "head"]);
}

#[test]
fn r_yaml_20_to_28_includes() {
    let files = Files(BTreeMap::from([
        ("d/q.sql", "SELECT a\nFROM {df}\n"),
        (
            "d/nodes/b.yaml",
            "name: b\nsource: {node_name: a}\ntransformer: {nodes: [{expr: !use ../q.sql}]}\n",
        ),
        ("d/nodes/a.yml", "name: a\nsource: {path: x, format: CSV}\n"),
        ("d/nodes/readme.md", "not me"),
        ("d/base.yaml", "dataframe_backend: POLARS\nimports: [m]\n"),
        ("d/list.yaml", "- {name: y}\n- !use nodes/a.yml\n"),
        ("d/loop.yaml", "- !use loop.yaml\n"),
        ("d/bad.yaml", "name: z\nsorce: {}\n"),
    ]));
    let read = |text: &str| {
        let folder = ("folder".to_owned(), "nodes".to_owned());
        let options = LoadOptions {
            files: Some(&files),
            variables: text
                .contains("vars.folder")
                .then_some(folder)
                .into_iter()
                .collect(),
            ..LoadOptions::default()
        };
        load("d/p.yaml", text.as_bytes(), &options)
    };
    // A path with `..` reaches the loader as written.
    let files_again = read(
        "name: p\n<<: !update base.yaml\ndataframe_backend: duckdb\nnodes:\n- !extend list.yaml\n- name: n\n  transformer: {nodes: [{expr: !use q.sql}]}\n",
    );
    assert_eq!(told(&files_again), [""; 0]);
    let pipeline = files_again.pipeline.expect("a pipeline");
    assert_eq!(pipeline.dataframe_backend.as_deref(), Some("DUCKDB"));
    assert_eq!(pipeline.imports, ["m"]);
    let names: Vec<&str> = pipeline
        .nodes
        .iter()
        .map(|node| node.name.as_str())
        .collect();
    assert_eq!(names, ["y", "a", "n"]);
    let expr = Path::node(2)
        .key("transformer")
        .key("nodes")
        .index(0)
        .key("expr");
    let document = &files_again.document;
    assert_eq!(
        document
            .text_span(&expr, 14..18)
            .expect("in the file")
            .location(),
        "d/q.sql:2:6"
    );
    for (text, expected) in [
        (
            "name: p\nnodes: !use ${vars.folder}\n",
            "`!use` target not found: `d/nodes/../q.sql` (referenced from `d/nodes`)",
        ),
        (
            "name: p\nnodes: [!use gone.yaml]\n",
            "d/p.yaml:2:14: error: `!use` target not found: `d/gone.yaml` (referenced from `d`)",
        ),
        (
            "name: p\nnodes: [!extend base.yaml]\n",
            "`!extend` needs a list, but `d/base.yaml` holds a mapping",
        ),
        (
            "name: p\nnodes: !use loop.yaml\n",
            "circular `!use`: `d/loop.yaml` is already being loaded",
        ),
        (
            "name: p\nnodes: [!use p.yaml]\n",
            "circular `!use`: `d/p.yaml`",
        ),
        (
            "name: p\nnodes: [!use bad.yaml]\n",
            "d/bad.yaml:2:1: error: unknown key `sorce`",
        ),
        (
            "name: p\nnodes: [!use '${vars.gone}']\n",
            "variable `gone` has no value",
        ),
    ] {
        let told = told(&read(text));
        assert_eq!(told.len(), 1, "{text} {told:#?}");
        assert!(told[0].contains(expected), "{text} {told:#?}");
    }
}

/// Every placeholder of a text, found through every way to write a scalar, lies where it is in the file.
#[test]
fn text_spans_find_their_bytes() {
    let writings = [
        "a <b> c",
        "'a ''x'' <b> c'",
        "\"a \\u00e9 \\\"é\\\" <b>\\n c\"",
        "\"a \\\n    x\\x41\n\n    <b>\"",
        "|\n    é\n      y\n\n    <b> x",
        "|2-\n\n      y\n     <b> x",
        ">\n    é x\n    y\n\n    z\n      more <m>\n    <b> x",
        ">-\n\n    é x\n    y\n    <b> x",
        "one\n    é\n\n    <b> two",
        "'one\n    é ''\n\n    <b> two'",
    ];
    for newline in ["\n", "\r\n"] {
        for writing in writings {
            let text = format!("name: p\nnodes:\n- name: a\n  comment: {writing}\n  tags: [q]\n");
            let text = text.replace('\n', newline);
            let loaded = loaded(&text);
            let pipeline = loaded
                .pipeline
                .as_ref()
                .unwrap_or_else(|| panic!("{text} {:?}", told(&loaded)));
            let comment = pipeline.nodes[0].comment.as_deref().expect("set");
            let at = comment.find("<b>").expect("in the text");
            let span = loaded
                .document
                .text_span(&Path::node(0).key("comment"), at..at + 3)
                .expect("in the file");
            assert_eq!(span.text(), "<b>", "{text:?} {comment:?}");
        }
    }
}

#[test]
fn findings_of_later_passes_are_placed() {
    let loaded = loaded(MISSION);
    let path = Path::node(1)
        .key("transformer")
        .key("nodes")
        .index(0)
        .key("expr");
    let found = loaded.document.locate(
        Finding::error("x", path.clone(), "m")
            .range(9..13)
            .hint("h"),
    );
    assert_eq!(
        found.to_string(),
        "p.yaml:24:11: error: m (nodes[1] `slv_stock_prices` > transformer.nodes[0].expr); h"
    );
    let gone = Path::node(1).key("gone").key("deeper");
    assert_eq!(
        loaded
            .document
            .span(&gone)
            .expect("the node")
            .position()
            .line,
        13
    );
    assert_eq!(
        loaded
            .document
            .key_span(&Path::node(1).key("source"))
            .expect("the node")
            .position()
            .line,
        13
    );
    assert_eq!(loaded.document.describe(&Path::root().key("name")), "name");
}

#[test]
fn depth_is_bounded_on_every_way() {
    let nested = |levels: usize| format!("{}x{}", "[".repeat(levels), "]".repeat(levels));
    let step = |levels| {
        node(&format!(
            "transformer: {{nodes: [{{func_name: f, func_args: {}}}]}}",
            nested(levels)
        ))
    };
    assert!(loaded(&step(110)).pipeline.is_some());
    check(
        &step(140),
        &["p.yaml:5:173: error: values are nested more than 128 levels deep"],
    );
    let chain: String = (0..1000)
        .map(|i| format!("  v{i}: x${{vars.v{}}}\n", i + 1))
        .collect();
    let text = format!("name: ${{vars.v0}}\nvariables:\n{chain}");
    assert_eq!(loaded(&text).diagnostics[0].code, "too-deep");
    let anchors: String = (0..50)
        .map(|i| {
            format!(
                "  a{}: &a{} {}\n",
                i + 1,
                i + 1,
                nested(90).replace('x', &format!("*a{i}"))
            )
        })
        .collect();
    let text = format!("name: p\nvariables:\n  a0: &a0 x\n{anchors}");
    assert_eq!(loaded(&text).diagnostics[0].code, "too-deep");
    let double: String = (0..60)
        .map(|i| format!("  v{i}: ${{vars.v{}}}${{vars.v{}}}\n", i + 1, i + 1))
        .collect();
    let text = format!("name: ${{vars.v0}}\nvariables:\n{double}  v60: 0123456789abcdef\n");
    assert_eq!(loaded(&text).diagnostics[0].code, "too-large");
}

#[test]
fn large_documents_load_in_linear_time() {
    let mut text = String::from("name: p\nnodes:\n");
    for i in 0..5000 {
        text.push_str(&format!("- name: n{i}\n  source: {{path: x{i}, format: CSV}}\n  sinks: [{{path: y{i}, format: CSV}}]\n"));
    }
    assert_eq!(pipeline(&text).nodes.len(), 5000);
}
