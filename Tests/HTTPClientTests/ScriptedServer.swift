import Foundation
import Spawning

/// A real HTTP server on a port of its own: python's standard library, told what to do by the path.
final class ScriptedServer: Sendable {
    let port: Int
    private let program: ChildProgram
    private let script: URL

    private static let text = """
        import http.server, sys, threading, time, os
        # Whoever started us is gone when our input ends.
        threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            def log_message(self, *args): pass
            def answer(self):
                length = int(self.headers.get("content-length") or 0)
                body = self.rfile.read(length)
                if self.path == "/hang": time.sleep(60)
                if self.path == "/close":
                    self.close_connection = True
                    return
                if self.path == "/chunks":
                    self.send_response(200); self.send_header("transfer-encoding", "chunked"); self.end_headers()
                    for part in (b"one", b"two", b"three"):
                        self.wfile.write(b"%x\\r\\n%s\\r\\n" % (len(part), part)); self.wfile.flush()
                    self.wfile.write(b"0\\r\\n\\r\\n")
                    return
                status, payload, extra = 200, b"", {}
                if self.path.startswith("/echo"):
                    payload = b"%s %s %s|" % (self.command.encode(), self.path.encode(), str(self.client_address[1]).encode()) + body
                    extra = {"x-type": self.headers.get("content-type") or "none"}
                if self.path.startswith("/big/"): payload = b"x" * int(self.path[5:])
                if self.path == "/teapot": status, payload = 418, b"short and stout"
                if self.path == "/moved": status, extra = 302, {"location": "/echo"}
                self.send_response(status)
                for name, value in extra.items(): self.send_header(name, value)
                self.send_header("content-length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)
            do_GET = do_POST = do_PUT = do_DELETE = answer
        class Server(http.server.ThreadingHTTPServer): request_queue_size = 256
        server = Server(("127.0.0.1", 0), Handler)
        print(server.server_address[1], flush=True)
        server.serve_forever()
        """

    init() throws {
        script = FileManager.default.temporaryDirectory.appendingPathComponent("server-\(UUID().uuidString).py")
        try Self.text.write(to: script, atomically: true, encoding: .utf8)
        program = try ChildProgram(["/usr/bin/env", "python3", script.path])
        guard let port = Int(program.firstLine) else { throw CocoaError(.fileReadUnknown) }
        self.port = port
    }

    deinit { try? FileManager.default.removeItem(at: script) }

    func url(_ path: String) -> String { "http://127.0.0.1:\(port)\(path)" }
}
