import ArgumentParser
import TriggerService

@main
enum Program {
    static func main() async { await TriggerServiceCommand.main() }
}
