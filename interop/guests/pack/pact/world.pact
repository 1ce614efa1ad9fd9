package interop:host

interface services {
    double: func(n: s64) -> s64
    join: func(a: string, b: string, times: u32) -> string
}

world greeter {
    import interop:host/services
    export greet: func(name: string) -> string
}
