;; An instruction for each form of operands; nothing here has to fit together.
(module
  (memory 1) (memory 1) (table $t 9 funcref) (tag $e)
  (type $s (struct (field (mut i32)))) (type $a (array (mut i32))) (type $f (func))
  (data $d "x") (elem $g func $h)
  (func $h (local i32 (ref null $s) funcref) (local v128)
    unreachable nop
    block end
    block (result i32) end
    loop (type $f) end
    if (result (ref null $s)) else end
    try_table (catch $e 0) (catch_ref $e 0) (catch_all 300) (catch_all_ref 0) end
    throw $e throw_ref
    br 0 br_if 300 br_table 0 br_table 0 300 0 return
    call $h call_indirect (type $f) return_call $h return_call_indirect (type $f)
    call_ref $f return_call_ref $f
    drop select select (result i32) select (result (ref null $f))
    local.get 0 local.set 0 local.tee 300 global.get 0 global.set 0
    table.get $t table.set $t table.init $t $g table.copy $t $t table.grow $t table.size $t
    table.fill $t elem.drop $g
    i32.load i64.store32 offset=4294967295 f32.load 1 offset=999999 align=1 i32.load8_s 1
    memory.size memory.grow 1 memory.init 1 $d memory.copy 0 1 memory.fill 1 data.drop $d
    i32.const -1 i32.const 2147483647 i64.const -9223372036854775808 f32.const nan f64.const -1
    i32.eqz f64.reinterpret_i64 i64.extend32_s i32.trunc_sat_f32_s i64.trunc_sat_f64_u
    ref.null func ref.null $s ref.is_null ref.func $h ref.eq ref.as_non_null
    br_on_null 0 br_on_non_null 0
    struct.new $s struct.new_default $s struct.get $s 0 struct.set $s 0
    array.new $a array.new_default $a array.new_fixed $a 300 array.new_data $a $d
    array.new_elem $a $g array.get $a array.set $a array.len array.fill $a array.copy $a $a
    array.init_data $a $d array.init_elem $a $g
    ref.test (ref null $s) ref.test (ref any) ref.cast (ref null any) ref.cast (ref $s)
    br_on_cast 0 anyref (ref $s) br_on_cast_fail 300 anyref (ref null $s)
    ref.i31 i31.get_s i31.get_u any.convert_extern extern.convert_any
    v128.const i64x2 -1 1 v128.load offset=5 v128.store 1 offset=300 v128.load64_splat
    i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15
    i8x16.extract_lane_s 15 f64x2.replace_lane 1 v128.load8_lane offset=3 15 v128.store64_lane 1
    v128.load32_zero v128.load64_zero i8x16.eq v128.any_true f64x2.convert_low_i32x4_u
    f32x4.relaxed_min i32x4.relaxed_dot_i8x16_i7x16_add_s
    atomic.fence memory.atomic.notify memory.atomic.wait64 i32.atomic.load
    i64.atomic.rmw32.cmpxchg_u offset=4))
