import ArgumentParser
import Console

@main
enum Program {
    static func main() async { await ConsoleCommand.main() }
}
