import GRDB
import Messages
import Store
import Testing

@testable import RegistryService

@Suite struct FilterTests {
    private func conditions(_ text: String, _ scope: SearchScope = .runs) throws -> [Filter.Condition] {
        try FilterParser.filter(text, scope).conditions
    }

    @Test func `metrics, parameters, tags and attributes are told apart, whatever their spelling`() throws {
        let found = try conditions(
            "metrics.rmse < 1 and params.alpha = '0.5' AND tag.`mlflow.source.type` != 'LOCAL' "
                + "AND attributes.status IN ('RUNNING', 'FAILED') and \"run name\" ILIKE 'a%'")
        #expect(
            found == [
                .init(field: .metric("rmse"), test: .compares(.less, .number(1))),
                .init(field: .parameter("alpha"), test: .compares(.equal, .text("0.5"))),
                .init(field: .tag("mlflow.source.type"), test: .compares(.unequal, .text("LOCAL"))),
                .init(field: .attribute("status"), test: .isIn(["RUNNING", "FAILED"])),
                .init(field: .attribute("run_name"), test: .compares(.ilike, .text("a%"))),
            ])
    }

    @Test(
        arguments: [
            ("metrics.m = -1.5e-3", Filter.Field.metric("m"), Filter.Test.compares(.equal, .number(-0.0015))),
            ("params.`learning rate` != 'x''y'", .parameter("learning rate"), .compares(.unequal, .text("x'y"))),
            ("tags.a.b.c LIKE '%'", .tag("a.b.c"), .compares(.like, .text("%"))),
            ("tags.owner IS NULL", .tag("owner"), .isAbsent),
            ("params.p IS NOT NULL", .parameter("p"), .isPresent),
            ("run_id NOT IN ('a')", .attribute("run_id"), .isNotIn(["a"])),
            ("dataset.name = 'iris'", .dataset("name"), .compares(.equal, .text("iris"))),
            (
                "created >= 1700000000000", .attribute("start_time"),
                .compares(.greaterOrEqual, .number(1_700_000_000_000))
            ),
        ] as [(String, Filter.Field, Filter.Test)])
    func `each form is read`(text: String, field: Filter.Field, test: Filter.Test) throws {
        #expect(try conditions(text) == [.init(field: field, test: test)])
    }

    @Test(arguments: [
        ("bogus ~~ 1", "Invalid attribute key 'bogus'"), ("metrics.m = 'x'", "numeric"), ("params.p = 1", "quoted"),
        ("metrics.m LIKE 3", "Invalid comparator"), ("params.p > 'a'", "Invalid comparator"),
        ("metrics.m < 1 OR metrics.m > 2", "AND"), ("params.p = 'open", "not closed"), ("tags. = 'x'", "name"),
        ("what.x = 'x'", "Invalid entity type 'what'"), ("run_id IN ()", "quoted text"), ("= 1", "a name"),
        ("metrics.m =< 1", "operator"), ("status = 'a' status = 'b'", "AND"), ("dataset.size = 'a'", "data"),
    ])
    func `a wrong filter is told with what is wrong`(text: String, part: String) throws {
        let error = #expect(throws: MLflowError.self) { try conditions(text) }
        #expect(error?.code == .invalid)
        #expect(error?.message.lowercased().contains(part.lowercased()) == true, "\(error?.message ?? "")")
    }

    @Test func `anything at all is read or refused, and never reaches SQL as text`() async throws {
        let door = try await Door()
        let words = [
            "metrics.", "params.", "tags.", "a", "`", "'", "\"", "=", "!=", "<", "LIKE", "IN", "(", ")", ",", "AND",
            "OR", "1", "-", "e9", ";", "--", "/*", "DROP TABLE run", "\u{0}", "ü", "%", "_", "NULL", "IS", "NOT", ".",
        ]
        var random = SeededNumbers(state: 42)
        for _ in 0..<400 {
            let text = (0..<Int.random(in: 1...12, using: &random)).compactMap { _ in
                words.randomElement(using: &random)
            }.joined(separator: Bool.random(using: &random) ? " " : "")
            let answer = try await door.post(
                "/runs/search", ["experiment_ids": ["0"], "filter": .string(text)])
            #expect([200, 400].contains(answer.status), "\(text): \(answer.json)")
        }
        #expect(try await door.get("/experiments/get", [("experiment_id", "0")]).status == 200)
    }

    @Test func `patterns mind the case with LIKE and not with ILIKE, and stars are stars`() async throws {
        let door = try await Door()
        for name in ["Demo", "demo", "d*mo"] {
            _ = try await door.post("/registered-models/create", ["name": .string(name)])
        }
        func names(_ filter: String) async throws -> [String] {
            let answer = try await door.get("/registered-models/search", [("filter", filter)])
            return answer.json["registered_models"]?.array?.compactMap { $0["name"]?.string } ?? []
        }
        #expect(try await names("name LIKE 'd%o'") == ["d*mo", "demo"])
        #expect(try await names("name ILIKE 'D_MO'") == ["Demo", "d*mo", "demo"])
        #expect(try await names("name LIKE 'd*mo'") == ["d*mo"])
        #expect(try await names("tags.`mlflow.prompt.is_prompt` != 'true'") == ["Demo", "d*mo", "demo"])
    }

    @Test func `S3-20 the tag that shows the stage finds and orders versions, and is stored nowhere`() async throws {
        let door = try await Door()
        try await door.registry.declare(trunk)
        try await door.model("churn", versions: 3)
        for version in [1, 2] { _ = try await door.registry.move(version, to: "production") }
        // No project declares this one: its tag is one like any other.
        try await door.model("iris", versions: 2)
        let tag: JSONValue = ["name": "iris", "version": "1", "key": "stage", "value": "production"]
        #expect(try await door.post("/model-versions/set-tag", tag).status == 200)
        func check() async throws {
            for (filter, expected) in [
                ("name='churn' and tags.stage='production'", ["churn 2"]),
                ("tags.stage = 'production'", ["churn 2", "iris 1"]), ("tags.`stage` = 'surpassed'", ["churn 1"]),
                ("tags.stage != 'production'", ["churn 3", "churn 1", "iris 2"]),
                ("tags.stage LIKE 'sur%'", ["churn 1"]), ("tags.stage IN ('surpassed', 'staged')", ["churn 1"]),
                ("tags.stage IS NULL", ["churn 3", "iris 2"]), ("tags.stage IS NOT NULL AND name = 'iris'", ["iris 1"]),
            ] {
                let found = try await door.get("/model-versions/search", [("filter", filter)])
                let names = found.json["model_versions"]?.array?.map {
                    "\($0["name"]?.string ?? "") \($0["version"]?.string ?? "")"
                }
                #expect(names == expected, "\(filter)")
            }
            for (filter, order, expected) in [
                ("", "tags.stage ASC", ["churn 2", "iris 1", "churn 1", "churn 3", "iris 2"]),
                ("", "tags.`stage` DESC", ["churn 1", "churn 2", "iris 1", "churn 3", "iris 2"]),
                ("name = 'churn' AND tags.stage != 'staged'", "tags.stage", ["churn 2", "churn 1", "churn 3"]),
            ] {
                let found = try await door.get("/model-versions/search", [("filter", filter), ("order_by", order)])
                let names = found.json["model_versions"]?.array?.map {
                    "\($0["name"]?.string ?? "") \($0["version"]?.string ?? "")"
                }
                #expect(names == expected, "\(filter) by \(order)")
            }
        }
        try await check()
        // As in a database from before the tag stood beside the declaration.
        try await door.registry.store.write { tx in
            try tx.db.execute(sql: "UPDATE declaration SET mirror = NULL")
            try KnowledgeQueries.noteMirrors(tx.db)
        }
        try await check()
    }

    @Test func `a tag finds the same versions by its index as one after the other`() async throws {
        let door = try await Door()
        for name in ["churn", "iris"] {
            try await door.model(name, versions: 3)
            for (version, value) in [("1", "a"), ("3", "a"), ("2", "b")] {
                _ = try await door.post(
                    "/model-versions/set-tag",
                    ["name": .string(name), "version": .string(version), "key": "k", "value": .string(value)])
            }
        }
        for (filter, expected) in [
            ("tags.k = 'a'", ["churn 3", "churn 1", "iris 3", "iris 1"]),
            ("tags.k = 'a' AND name = 'iris'", ["iris 3", "iris 1"]),
            ("tags.k = 'c'", []), ("tags.other = 'a'", []),
        ] {
            let parsed = try FilterParser.filter(filter, .versions)
            for few in [0, 1000] {
                let found = try await door.registry.store.read { db in
                    try VersionSearch.search(parsed, [], page: .start, limit: 10, few: few, db).items
                }
                let names = found.map { "\($0["name"]?.string ?? "") \($0["version"]?.string ?? "")" }
                #expect(names == expected, "\(filter), few: \(few)")
            }
        }
    }
}

/// The same numbers every time (SplitMix64).
struct SeededNumbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }
}
