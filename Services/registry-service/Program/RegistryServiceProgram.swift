import ArgumentParser
import RegistryService

@main
enum Program {
    static func main() async { await RegistryCommand.main() }
}
