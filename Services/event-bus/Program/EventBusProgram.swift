import ArgumentParser
import EventBus

@main
enum Program {
    static func main() async { await EventBusCommand.main() }
}
