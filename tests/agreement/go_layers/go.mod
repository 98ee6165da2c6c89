module layers

go 1.24
