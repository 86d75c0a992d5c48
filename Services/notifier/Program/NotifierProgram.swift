import ArgumentParser
import Notifier

@main
enum Program {
    static func main() async { await NotifierCommand.main() }
}
