module example.com/kind

go 1.19
