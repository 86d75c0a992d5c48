import Foundation
import Messages
import Spawning

/// A webhook that answers as told and writes down what it was sent.
final class WebhookServer {
    struct Request: Decodable {
        var method: String
        var contentType: String
        var body: JSONValue
    }

    let url: String
    private let program: ChildProgram
    private let folder: URL

    private static let text = """
        import http.server, json, os, sys, threading
        answers, log = sys.argv[2:], open(sys.argv[1], "a")
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            def log_message(self, *arguments): pass
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                line = {"method": self.command, "contentType": self.headers.get("content-type"), "body": json.loads(body)}
                log.write(json.dumps(line) + "\\n"); log.flush()
                answer = answers.pop(0) if answers else "200"
                if answer == "close":
                    self.close_connection = True
                    return
                status, _, wait = answer.partition(":")
                text = b"ok" if status == "200" else b"no_service"
                self.send_response(int(status))
                if wait: self.send_header("Retry-After", wait)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)
        # Ends with the test that started it, however that one ended.
        threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        print(server.server_address[1], flush=True)
        server.serve_forever()
        """

    /// - Parameter answers: one a request: a status, `429:<Retry-After>`, or `close` for none.
    init(_ answers: [String]) throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("webhook-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let script = folder.appendingPathComponent("server.py")
        try Self.text.write(to: script, atomically: true, encoding: .utf8)
        program = try ChildProgram(
            ["/usr/bin/env", "python3", script.path, folder.appendingPathComponent("log").path] + answers)
        url = "http://127.0.0.1:\(program.firstLine)/services/T/B/X"
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func requests() throws -> [Request] {
        try Data(contentsOf: folder.appendingPathComponent("log")).split(separator: 10)
            .map { try Wire.decode(Request.self, from: Data($0)) }
    }
}

/// What Slack documents and what its own SDK was seen to send (Tests/Fixtures/slack).
enum SlackFixtures {
    struct Call {
        var method: String
        var contentType: String
    }

    static func recordedCalls() throws -> [Call] {
        try Data(contentsOf: file("sdk-calls.jsonl")).split(separator: 10).map { line in
            let call = try Wire.decode(JSONValue.self, from: Data(line))
            return Call(
                method: call["method"]?.string ?? "", contentType: call["headers"]?["Content-Type"]?.string ?? "")
        }
    }

    /// Types of the fields of a message, by name.
    static func messageParameters() throws -> [String: String] {
        let document = try Wire.decode(JSONValue.self, from: Data(contentsOf: file("chat-post-message.json")))
        let parameters = document["paths"]?["/chat.postMessage"]?["post"]?["parameters"]?.array ?? []
        return Dictionary(
            parameters.map { ($0["name"]?.string ?? "", $0["type"]?.string ?? "") }, uniquingKeysWith: { $1 })
    }

    private static func file(_ name: String) -> URL {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Fixtures/slack/\(name)")
    }
}
