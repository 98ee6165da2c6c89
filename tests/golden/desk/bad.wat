(module
  (func i32.bad))
