import Hummingbird
import Messages
import ServiceKit
import ServiceLifecycle
import Store

extension API {
    func addCommands(_ routes: Routes) {
        // `wait`: how many seconds to wait for an answer where none is there yet.
        routes.get("/commands/{id}") { call in
            let id = try call.path("id")
            let deadline = ContinuousClock.now.advanced(by: .seconds(try call.number("wait", 0...20, default: 0)))
            while true {
                guard let command = try await store.read({ db in try db.command(id) }) else {
                    throw Refusal(404, "no command '\(id)'", hint: "a command's id comes with the answer 202")
                }
                // Who waits asks again, and must not keep the console from ending.
                let isOver = ContinuousClock.now >= deadline || Task.isShuttingDownGracefully
                if command["state"]?.string != "waiting" || isOver { return Reply(command) }
                try await Task.sleep(for: .milliseconds(20))
            }
        }
    }
}
