import Bus
import Foundation
import Messages
import Testing

struct AuthorizedKeysTests {
    private static let key = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
    private static let other = "#rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf"

    private func read(_ text: String) -> AuthorizedKeys { AuthorizedKeys(parsing: text, file: "keys") }

    @Test func `a line says who a key is and what it may do`() throws {
        let keys = read(
            """
            # operators
            \(Self.key)   trainer-proxy pub=e/trainer-proxy/*,t/trainer-proxy/* sub=feed req=fetch,claim:train/* rate=500

            \(Self.other) kim\tsub=e/registry-service/,h/* req=fetch:registry-service
            """)
        #expect(keys.problems == [])
        #expect(keys.entries.map(\.client) == ["trainer-proxy", "kim"])
        #expect(keys.entries.map(\.line) == [2, 4])
        let first = try #require(keys.entries.first)
        #expect(first.rights.rate == 500 && first.rights.subscribe == [""])
        #expect(keys.entries.last?.rights.rate == Rights.defaultRate)
        #expect(
            first.text
                == "\(Self.key) trainer-proxy pub=e/trainer-proxy/*,t/trainer-proxy/* sub=feed req=fetch,claim:train/* rate=500"
        )
        #expect(read(first.text).entries.first?.rights == first.rights)
    }

    @Test(arguments: [
        ("x acme", "'x' is not a public key"),
        ("\(key.dropLast()) acme", "is not a public key"),
        ("\(key)", "client's name is missing"),
        ("\(key) Acme", "'Acme' is not a client's name"),
        ("\(key) event-bus", "a name of the bus itself"),
        ("\(key) unknown", "a name of the bus itself"),
        ("\(key) acme publish=e/acme/*", "'publish=' is none of"),
        ("\(key) acme feed", "'feed' is none of"),
        ("\(key) acme sub=feed sub=feed", "'sub=' stands twice"),
        ("\(key) acme pub=e/*", "pub: 'e/*' is not"), ("\(key) acme pub=*", "pub: '*' is not"),
        ("\(key) acme pub=h/acme", "pub: 'h/acme' is not"), ("\(key) acme pub=", "pub: '' is not"),
        ("\(key) acme pub=e/acme/*,", "pub: '' is not"), ("\(key) acme pub=e/acme/*x", "pub: 'e/acme/*x' is not"),
        ("\(key) acme pub=e/event-bus/x", "pub: 'e/event-bus/x' is not"),
        ("\(key) acme sub=*", "sub: '*' is neither"), ("\(key) acme sub=e/*/x", "sub: 'e/*/x' is neither"),
        ("\(key) acme req=Fetch", "req: 'Fetch' is not"), ("\(key) acme req=fetch:", "req: 'fetch:' is not"),
        ("\(key) acme req=claim:*/x", "req: 'claim:*/x' is not"), ("\(key) acme req=*:x", "req: '*:x' is not"),
        ("\(key) acme rate=0", "rate: take 1 to"), ("\(key) acme rate=many", "rate: take 1 to"),
        ("\(key) acme rate=1,2", "rate: take 1 to"),
    ])
    func `a mistake is told with its place and gives its key nothing, the others go on`(line: String, words: String) {
        let keys = read("\n\(line)\n\(Self.other) kim sub=feed")
        #expect(keys.entries.map(\.client) == ["kim"])
        #expect(keys.problems.count == 1)
        #expect(keys.problems.first?.description.hasPrefix("keys:2: ") == true)
        #expect(keys.problems.first?.message.contains(words) == true, "\(keys.problems)")
    }

    @Test func `a key in two lines gets nothing, for nobody knows which one counts`() {
        let keys = read("\(Self.key) a sub=feed\n\(Self.other) b sub=feed\n\(Self.key) c sub=feed")
        #expect(keys.entries.map(\.client) == ["b"])
        #expect(keys.problems.map(\.line) == [3])
    }

    @Test func `a key that begins with a hash is no comment, a line behind a hash is one`() {
        #expect(read("\(Self.other) kim sub=feed").entries.count == 1)
        #expect(read("#\(Self.key) kim sub=feed\n# \(Self.key) kim").entries.isEmpty)
        #expect(read("#\(Self.key) kim sub=feed").problems.isEmpty)
    }

    @Test func `a file that others can write, or that is none, authorizes nobody`() throws {
        let path = FileManager.default.temporaryDirectory.path + "/keys-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(AuthorizedKeys(reading: path).problems.count == 1)
        try "\(Self.key) kim sub=feed".write(toFile: path, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        #expect(AuthorizedKeys(reading: path).entries.count == 1)
        try FileManager.default.setAttributes([.posixPermissions: 0o620], ofItemAtPath: path)
        let open = AuthorizedKeys(reading: path)
        #expect(open.entries.isEmpty && open.problems.first?.message.contains("chmod 600") == true)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        try Data(count: AuthorizedKeys.mostBytes + 1).write(to: URL(fileURLWithPath: path))
        #expect(AuthorizedKeys(reading: path).entries.isEmpty)
    }

    /// Whatever somebody writes into the file, no byte of it authorizes more than it says.
    @Test func `I10 no text makes the parser crash or authorizes a key that is not in it`() {
        var random = SeededRandom(seed: 7)
        let line = Array("\(Self.key) acme pub=e/acme/*,t/acme/* sub=feed req=fetch,claim:acme/* rate=500\n".utf8)
        for _ in 0..<3000 {
            var bytes = line + line
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            let keys = read(String(decoding: bytes, as: UTF8.self))
            #expect(keys.entries.count <= 2)
            for entry in keys.entries { #expect(String(decoding: bytes, as: UTF8.self).contains(entry.key.text)) }
        }
    }
}

struct RightsTests {
    private func rights(_ text: String) throws -> Rights {
        let keys = AuthorizedKeys(parsing: "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID acme \(text)", file: "keys")
        return try #require(keys.entries.first, "\(keys.problems)").rights
    }

    private func may(_ rights: Rights, publish topic: String) -> Bool {
        Data(topic.utf8).withUnsafeBytes { rights.mayPublish($0) }
    }

    @Test(arguments: [
        ("pub=e/acme/*", "e/acme/load", true), ("pub=e/acme/*", "e/acme/", true), ("pub=e/acme/*", "e/acme", false),
        ("pub=e/acme/*", "e/acme2/load", false), ("pub=e/acme/*", "t/acme/load", false),
        ("pub=e/acme/load", "e/acme/load", true), ("pub=e/acme/load", "e/acme/loads", false),
        ("pub=e/acme/load.*,t/acme/*", "t/acme/x", true), ("pub=e/acme/load.*", "e/acme/load.high", true),
        ("sub=feed", "e/acme/load", false), ("", "e/acme/load", false),
    ])
    func `a topic is published within the patterns only`(text: String, topic: String, expected: Bool) throws {
        #expect(may(try rights(text), publish: topic) == expected)
    }

    @Test func `who publishes all events of a log speaks for it, who publishes some of them does not`() throws {
        #expect(try rights("pub=e/acme/*").speaks(for: "acme"))
        for narrow in ["pub=e/acme/load.*", "pub=e/acme/load", "pub=e/acme/a*,e/acme/b*"] {
            #expect(try !rights(narrow).speaks(for: "acme"))
        }
        #expect(try !rights("pub=e/acme/*").speaks(for: "acm"))
        #expect(try !rights("pub=t/acme/*").speaks(for: "acme"))
        #expect(Rights.everything.speaks(for: "anything"))
    }

    @Test(arguments: [
        ("sub=feed", "", true), ("sub=feed", "e/", true), ("sub=feed", "t/x", true),
        ("sub=e/registry-service/", "e/registry-service/", true), ("sub=e/registry-service/", "e/", false),
        ("sub=e/registry-service/", "", false),
        ("sub=e/registry-service/dev.martlet.model.*", "e/registry-service/", false),
        ("sub=e/registry-service/dev.martlet.model.", "e/registry-service/dev.martlet.model.registered.v1", true),
        ("sub=e/registry-service/", "h/registry-service", true), ("sub=e/registry-service/", "h/deployer", false),
        ("sub=e/registry-service/", "h/", false), ("sub=h/*", "h/deployer", true),
        ("sub=t/acme/", "h/event-bus", true), ("pub=e/acme/*", "h/event-bus", true),
    ])
    func `a subscription is within the rights or does not count`(text: String, prefix: String, expected: Bool) throws {
        #expect(try rights(text).maySubscribe(to: prefix) == expected)
    }

    @Test(
        arguments: [
            ("req=fetch", "fetch", "deployer", [], true), ("req=fetch:dep*", "fetch", "deployer", [], true),
            ("req=fetch:registry-service", "fetch", "deployer", [], false),
            ("req=fetch", "publish", "ingest", [], false),
            ("req=publish", "publish", "ingest", [], true), ("req=*", "anything", "deployer", [], true),
            ("req=claim:acme/*", "session.open", "trigger-service", ["acme/check"], true),
            ("req=claim:acme/*", "session.open", "trigger-service", ["acme/*"], true),
            ("req=claim:acme/*", "session.open", "trigger-service", ["acme/check", "train/run"], false),
            ("req=claim:acme/*", "session.open", "trigger-service", ["*"], false),
            ("req=claim:acme/*,claim:train/run", "session.open", "trigger-service", ["acme/check", "train/run"], true),
            ("req=claim:acme/*", "session.keepalive", "trigger-service", [], true),
            ("req=claim:acme/*", "complete", "trigger-service", [], true),
            ("req=claim:acme/*", "fetch", "trigger-service", [], false),
            ("req=fetch", "complete", "trigger-service", [], false), ("", "fetch", "deployer", [], false),
        ] as [(String, String, String, [String], Bool)])
    func `a request needs its right, a worker one for each verb`(
        text: String, method: String, target: String, verbs: [String], expected: Bool
    ) throws {
        #expect(try rights(text).mayAsk(method, of: target, verbs: verbs) == expected)
    }
}

struct KeyFolderTests {
    private let folder = KeyFolder(path: FileManager.default.temporaryDirectory.path + "/keys-\(UUID().uuidString)")

    private func mode(_ path: String) throws -> Int {
        let value = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        return try #require(value)
    }

    @Test func `a key is made once and stays, closed to others`() throws {
        defer { try? FileManager.default.removeItem(atPath: folder.path) }
        let first = try folder.generate("acme")
        let again = try folder.generate("acme")
        #expect(first.isNew && !again.isNew && first.pair == again.pair)
        #expect(try mode(folder.keyFile("acme")) == 0o600)
        #expect(try mode(folder.path) == 0o700)
        #expect(try folder.generate("acme", anew: true).pair != first.pair)
        #expect(!"\(first.pair)".contains(try secret("acme")))
        var shown = ""
        dump(first.pair, to: &shown)
        #expect(!shown.contains(try secret("acme")))
    }

    private func secret(_ client: String) throws -> String {
        let text = try String(contentsOfFile: folder.keyFile(client), encoding: .utf8)
        let line = text.split(separator: "\n").first { $0.contains("secret-key") }
        return try #require(line?.split(separator: "\"").last.map(String.init))
    }

    @Test func `a key that others can read, or that is damaged, is refused with the way out`() throws {
        defer { try? FileManager.default.removeItem(atPath: folder.path) }
        #expect(throws: BusError.self) { try folder.credentials(of: "acme") }
        let pair = try folder.generate("acme").pair
        #expect { try folder.credentials(of: "acme") } throws: { "\($0)".contains("martlet keys generate event-bus") }
        let bus = try folder.generate("event-bus").pair
        #expect(try folder.credentials(of: "acme") == BusCredentials(own: pair, bus: bus.publicKey))
        let path = folder.keyFile("acme")
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
        #expect { try folder.credentials(of: "acme") } throws: { "\($0)".contains("chmod 600") }
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        let text = try String(contentsOfFile: path, encoding: .utf8)
        try text.replacing(pair.publicKey.text, with: bus.publicKey.text).write(
            toFile: path, atomically: false, encoding: .utf8)
        #expect { try folder.credentials(of: "acme") } throws: { "\($0)".contains("does not belong") }
    }

    @Test func `concurrent edits of authorized keys lose no line and never show half a file`() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder.path) }
        let folder = folder
        try await withThrowingTaskGroup { group in
            for number in 0..<20 {
                group.addTask { try folder.edit { $0.append("# line \(number)") } }
            }
            try await group.waitForAll()
        }
        let lines = try String(contentsOfFile: folder.authorizedKeys, encoding: .utf8).split(separator: "\n")
        #expect(Set(lines.filter { $0.hasPrefix("# line") }).count == 20)
        #expect(try mode(folder.authorizedKeys) == 0o600)
        #expect(!FileManager.default.fileExists(atPath: folder.authorizedKeys + ".new"))
    }
}
