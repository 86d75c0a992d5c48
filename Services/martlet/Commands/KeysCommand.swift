import ArgumentParser
import Bus
import Foundation
import Messages
import ServiceKit

struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "Who may use the bus over tcp.",
        discussion: """
            A key is made where it is used; only its public half travels. Begin on the machine of the bus with
              martlet keys generate event-bus
            give its event-bus.pub to whoever shall dial it, and authorize their public keys here.
            """,
        subcommands: [Generate.self, Authorize.self, Revoke.self, List.self, Suite.self], defaultSubcommand: List.self)
}

/// Where the keys are; the same options at every subcommand.
struct KeyPlace: ParsableArguments {
    @Option(help: "Data folder. Default: $MARTLET_HOME, else ~/.martlet.")
    var data: String?

    @Option(help: "Folder of the keys. Default: $MARTLET_KEYS, else <data>/keys.")
    var keys: String?

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        try DataPaths.check(data)
        if keys?.isEmpty == true { throw ValidationError("--keys: name a folder, or leave the option out") }
    }

    var folder: KeyFolder { .chosen(keys, data: data) }

    func tell(_ value: JSONValue, _ text: String) throws {
        if json { try Terminal.show(value) } else { print(text) }
    }

    /// Problems with keys and their files end with 1 and say the way out.
    func guarding<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as BusError {
            throw Failure("\(error)")
        }
    }

    static func check(client: String, mayBeBus: Bool = false) throws {
        guard Source(checking: client) != nil else {
            throw ValidationError("'\(client)' is not a client's name: use [a-z0-9.-]{1,63}, as in acme-load")
        }
        if mayBeBus, client == Source.eventBus.name { return }
        if AuthorizedKeys.reservedClients.contains(client) {
            throw ValidationError("'\(client)' is a name that the bus gives itself; take another")
        }
    }
}

extension KeyFolder {
    static func chosen(_ keys: String?, data: String?) -> KeyFolder {
        let variable = ProcessInfo.processInfo.environment["MARTLET_KEYS"].flatMap { $0.isEmpty ? nil : $0 }
        // Relative ones are the caller's.
        let path = keys ?? variable ?? DataPaths.chosen(data).keys
        return KeyFolder(path: URL(fileURLWithPath: path).standardizedFileURL.path)
    }
}

extension KeysCommand {
    struct Generate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a client's key, or show the one that it has.",
            discussion: """
                Examples:
                  martlet keys generate event-bus
                  martlet keys generate acme --keys ./keys
                The file holds the secret: leave it where the client runs. Its public key is printed; authorize that
                where the bus runs. The secret is never printed.
                """)

        @Argument(help: "Whose key: [a-z0-9.-]{1,63}; event-bus for the bus itself.")
        var client: String

        @Flag(help: "Make a new one in place of the old; authorize it again, and restart who uses it.")
        var force = false

        @OptionGroup var place: KeyPlace

        func validate() throws { try KeyPlace.check(client: client, mayBeBus: true) }

        func run() async throws {
            let made = try place.guarding { try place.folder.generate(client, anew: force) }
            let file = place.folder.keyFile(client)
            try place.tell(
                [
                    "client": .string(client), "key": .string(made.pair.publicKey.text), "file": .string(file),
                    "new": .bool(made.isNew),
                ],
                "\(made.isNew ? "wrote" : "is there:") \(file)\npublic key: \(made.pair.publicKey)")
        }
    }

    struct Authorize: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say what a client's key may do.",
            discussion: """
                Examples:
                  martlet keys authorize trainer-proxy --service trainer-proxy
                  martlet keys authorize kim --operator --key 'Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID'
                  martlet keys authorize acme --integrator --verbs 'acme/*'
                  martlet keys authorize dashboard --sub e/registry-service/ --req fetch:registry-service
                Several of these add up; together they replace what the key might do before. Counts within a second.
                """)

        @Argument(help: "The client's name: what it does is told under it.")
        var client: String

        @Option(help: "Its public key. Default: that of <keys>/CLIENT.key.")
        var key: String?

        @Option(help: "Everything that this service of Martlet needs.")
        var service: String?

        @Flag(help: "Hears everything and catches up; says nothing.")
        var `operator` = false

        @Flag(help: "Publishes events of its own, hears everything and catches up.")
        var integrator = false

        @Option(help: "Works steps of these verbs, as 'acme/*'; may be repeated.")
        var verbs: [String] = []

        @Option(help: "Topics to publish to the feed: e/SOURCE/TYPE or t/CLIENT/TYPE, '*' at the end; commas between.")
        var pub: String?

        @Option(help: "'feed' for everything, or prefixes as e/registry-service/; commas between.")
        var sub: String?

        @Option(help: "Requests: METHOD, METHOD:TARGET, claim:VERBS; commas between.")
        var req: String?

        @Option(help: "Messages a second, and as many requests.")
        var rate: Int?

        @OptionGroup var place: KeyPlace

        func validate() throws {
            try KeyPlace.check(client: client)
            if let key, PeerKey(key) == nil {
                throw ValidationError("--key: not a public key of 40 characters of Z85; quote it for the shell")
            }
            _ = try rights()
        }

        private func rights() throws -> Rights {
            var parts: [Rights] = []
            if let service {
                guard let preset = Presets.service(Source(stringLiteral: service)) else {
                    let names = Source.all.filter { $0 != .ingest }.map(\.name).joined(separator: ", ")
                    throw ValidationError("--service: '\(service)' is none of \(names)")
                }
                parts.append(preset)
            }
            if `operator` { parts.append(Presets.operator) }
            if integrator { parts.append(Presets.integrator(client)) }
            if !verbs.isEmpty { parts.append(Presets.worker(client, verbs: verbs)) }
            if let own = try written() { parts.append(own) }
            guard let first = parts.first else {
                throw ValidationError(
                    "say what it may: --service, --operator, --integrator, --verbs, --pub, --sub or --req")
            }
            var rights = parts.dropFirst().reduce(first) { $0.and($1) }
            if let rate { rights.rate = rate }
            try check(rights)
            return rights
        }

        /// The rights that stand in options of their own, read as in the file.
        private func written() throws -> Rights? {
            let words = [("pub", pub), ("sub", sub), ("req", req)].compactMap { name, value in
                value.map { "\(name)=\($0)" }
            }
            if words.isEmpty { return nil }
            return try read(words.joined(separator: " "))
        }

        private func read(_ words: String) throws -> Rights {
            let sample = String(repeating: "0", count: PeerKey.length)
            let line = AuthorizedKeys(parsing: "\(sample) \(client) \(words)", file: "authorized_keys")
            if let problem = line.problems.first { throw ValidationError("--\(problem.message)") }
            return line.entries.first?.rights ?? Rights()
        }

        /// What cannot be read again must not be written.
        private func check(_ rights: Rights) throws {
            let sample = PeerKey(String(repeating: "0", count: PeerKey.length))
            guard let sample else { return }
            let entry = AuthorizedKeys.Entry(key: sample, client: client, rights: rights)
            if let problem = AuthorizedKeys(parsing: entry.text, file: "authorized_keys").problems.first {
                throw ValidationError("--\(problem.message)")
            }
        }

        func run() async throws {
            let rights = try rights()
            let (entry, isNew) = try place.guarding { () -> (AuthorizedKeys.Entry, Bool) in
                let named = key.flatMap { PeerKey($0) }
                let entry = AuthorizedKeys.Entry(
                    key: try named ?? place.folder.pair(of: client).publicKey, client: client, rights: rights)
                return (entry, try place.folder.edit { $0.authorize(entry) })
            }
            try place.tell(
                .object([
                    "client": .string(client), "key": .string(entry.key.text), "changed": .bool(isNew),
                    "line": .string(entry.text),
                ]),
                "\(isNew ? "authorized" : "is authorized already:") \(entry.text)")
        }
    }

    struct Suite: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make and authorize the keys of a whole suite, in a folder for each client.",
            discussion: """
                Examples:
                  martlet keys suite --into /keys
                What is there stays. FOLDER/event-bus is the bus's own, with authorized_keys; each other folder has one
                client's key and event-bus.pub: give each container its own.
                """)

        @Option(help: "The folder of the folders.")
        var into: String

        @Flag(help: "Print JSON.")
        var json = false

        func validate() throws {
            if into.isEmpty { throw ValidationError("--into: name a folder") }
        }

        func run() async throws {
            let new: [String]
            do {
                new = try SuiteKeys.prepare(each: URL(fileURLWithPath: into).standardizedFileURL.path)
            } catch let error as BusError {
                throw Failure("\(error)", hint: "check the owner of \(into) and the room on its disk")
            }
            if json { return try Terminal.show(["new": .array(new.map { .string($0) })]) }
            print(new.isEmpty ? "all keys are there" : "made the keys of \(new.joined(separator: ", "))")
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take a client's keys away.",
            discussion: """
                Examples:
                  martlet keys revoke acme
                  martlet keys revoke 'Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID'
                It publishes and asks nothing after a second, and hears nothing after two.
                """)

        @Argument(help: "The client, whose keys all go, or one public key.")
        var client: String

        @OptionGroup var place: KeyPlace

        func run() async throws {
            guard PeerKey(client) != nil || Source(checking: client) != nil else {
                throw ValidationError(
                    "'\(client)' is neither a client's name nor a public key; see 'martlet keys list'")
            }
            let gone = try place.guarding { try place.folder.edit { $0.revoke(client) } }
            try place.tell(
                ["revoked": .array(gone.map { .string($0.text) })],
                gone.isEmpty
                    ? "nothing to revoke: no line of \(place.folder.authorizedKeys) names '\(client)'"
                    : gone.map { "revoked \($0)" }.joined(separator: "\n"))
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List who may do what, and lines with mistakes.", discussion: "Example:\n  martlet keys list")

        @OptionGroup var place: KeyPlace

        func run() async throws {
            let file = place.folder.authorizedKeys
            guard FileManager.default.fileExists(atPath: file) else {
                return try place.tell(["items": [], "problems": []], "no keys: \(file) is not there")
            }
            let keys = AuthorizedKeys(reading: file)
            let rows = keys.entries.map { entry -> JSONValue in
                [
                    "client": .string(entry.client), "key": .string(entry.key.text), "line": .int(entry.line),
                    "pub": .array(entry.rights.publish.map { .string($0.description) }),
                    "sub": .array(entry.rights.subscribe.map { .string($0.isEmpty ? "feed" : $0) }),
                    "req": .array(entry.rights.requests.map { .string($0.description) }),
                    "rate": .int(entry.rights.rate),
                ]
            }
            func list(_ key: String) -> (JSONValue) -> String {
                { ($0[key]?.array ?? []).compactMap(\.string).joined(separator: ",") }
            }
            let table = Table([
                ("CLIENT", { $0.text("client") }), ("KEY", { $0.text("key") }), ("RATE", { $0.text("rate") }),
                ("PUBLISHES", list("pub")), ("HEARS", list("sub")), ("ASKS", list("req")),
            ])
            let problems = keys.problems.map(\.description)
            try place.tell(
                ["items": .array(rows), "problems": .array(problems.map { .string($0) })],
                table.render(rows, empty: "no keys are authorized in \(file)"))
            if !place.json { for problem in problems { Terminal.complain(problem) } }
            if !problems.isEmpty { throw ExitCode(CommandLineRun.failed) }
        }
    }
}
