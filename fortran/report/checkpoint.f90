! SPDX-License-Identifier: MIT
!> An exact restart: put numbers in under names, get the same bits out.
module fennix_checkpoint
   use, intrinsic :: iso_c_binding, only : c_loc, c_null_ptr, c_ptr
   use, intrinsic :: iso_fortran_env, only : int8
   use fennix_kinds, only : dp, i4, i8
   use fennix_error, only : error_type
   use fennix_checkpoint_records, only : add_record, check_record, checkpoint_type, find_record, get_bytes, &
      & has_record, kind_int32, kind_int64, kind_real64, kind_text, put_bytes, record_shape, record_type
   use fennix_checkpoint_file, only : load_checkpoint, save_checkpoint
   implicit none
   private
   public :: checkpoint_type, put, get, has_record, record_shape, save_checkpoint, load_checkpoint

   !> Put a value under a name, replacing an earlier one: real(dp) and integer(i4) of rank 0-2, integer(i8) of rank
   !> 0-1, character
   interface put
      module procedure :: put_real_0, put_real_1, put_real_2
      module procedure :: put_int_0, put_int_1, put_int_2
      module procedure :: put_long_0, put_long_1
      module procedure :: put_text
   end interface put

   !> Get a value that was put; the array must have the shape that was put
   interface get
      module procedure :: get_real_0, get_real_1, get_real_2
      module procedure :: get_int_0, get_int_1, get_int_2
      module procedure :: get_long_0, get_long_1
      module procedure :: get_text
   end interface get

contains


subroutine put_real_0(self, name, value)
   type(checkpoint_type), intent(inout) :: self
   character(len=*), intent(in) :: name
   real(dp), intent(in), target :: value
   type(c_ptr) :: address

   address = c_loc(value)
   call put_bytes(self, name, kind_real64, [integer ::], address)
end subroutine put_real_0


subroutine put_real_1(self, name, values)
   type(checkpoint_type), intent(inout) :: self
   character(len=*), intent(in) :: name
   real(dp), intent(in), contiguous, target :: values(:)
   type(c_ptr) :: address

   address = c_null_ptr
   if (size(values) > 0) address = c_loc(values)
   call put_bytes(self, name, kind_real64, shape(values), address)
end subroutine put_real_1


subroutine put_real_2(self, name, values)
   type(checkpoint_type), intent(inout) :: self
   character(len=*), intent(in) :: name
   real(dp), intent(in), contiguous, target :: values(:, :)
   type(c_ptr) :: address

   address = c_null_ptr
   if (size(values) > 0) address = c_loc(values)
   call put_bytes(self, name, kind_real64, shape(values), address)
end subroutine put_real_2


subroutine put_int_0(self, name, value)
   type(checkpoint_type), intent(inout) :: self
   character(len=*), intent(in) :: name
   integer(i4), intent(in), target :: value
   type(c_ptr) :: address

   address = c_loc(value)
   call put_bytes(self, name, kind_int32, [integer ::], address)
end subroutine put_int_0


subroutine put_int_1(self, name, values)
   type(checkpoint_type), intent(inout) :: self
   character(len=*), intent(in) :: name
   integer(i4), intent(in), contiguous, target :: values(:)
   type(c_ptr) :: address

   address = c_null_ptr
   if (size(values) > 0) address = c_loc(values)
   call put_bytes(self, name, kind_int32, shape(values), address)
end subroutine put_int_1


subroutine put_int_2(self, name, values)
   type(checkpoint_type), intent(inout) :: self
   character(len=*), intent(in) :: name
   integer(i4), intent(in), contiguous, target :: values(:, :)
   type(c_ptr) :: address

   address = c_null_ptr
   if (size(values) > 0) address = c_loc(values)
   call put_bytes(self, name, kind_int32, shape(values), address)
end subroutine put_int_2


subroutine put_long_0(self, name, value)
   type(checkpoint_type), intent(inout) :: self
   character(len=*), intent(in) :: name
   integer(i8), intent(in), target :: value
   type(c_ptr) :: address

   address = c_loc(value)
   call put_bytes(self, name, kind_int64, [integer ::], address)
end subroutine put_long_0


subroutine put_long_1(self, name, values)
   type(checkpoint_type), intent(inout) :: self
   character(len=*), intent(in) :: name
   integer(i8), intent(in), contiguous, target :: values(:)
   type(c_ptr) :: address

   address = c_null_ptr
   if (size(values) > 0) address = c_loc(values)
   call put_bytes(self, name, kind_int64, shape(values), address)
end subroutine put_long_1


subroutine put_text(self, name, text)
   type(checkpoint_type), intent(inout) :: self
   character(len=*), intent(in) :: name
   character(len=*), intent(in) :: text
   type(record_type) :: record

   record%name = trim(name)
   record%kind = kind_text
   record%rank = 1_i4
   record%shape(1) = len(text)
   record%bytes = transfer(text, [0_int8], len(text))
   call add_record(self, record)
end subroutine put_text


subroutine get_real_0(self, name, value, error)
   type(checkpoint_type), intent(in) :: self
   character(len=*), intent(in) :: name
   real(dp), intent(inout), target :: value
   type(error_type), allocatable, intent(out) :: error
   type(c_ptr) :: address

   address = c_loc(value)
   call get_bytes(self, name, kind_real64, [integer ::], address, error)
end subroutine get_real_0


subroutine get_real_1(self, name, values, error)
   type(checkpoint_type), intent(in) :: self
   character(len=*), intent(in) :: name
   real(dp), intent(inout), contiguous, target :: values(:)
   type(error_type), allocatable, intent(out) :: error
   type(c_ptr) :: address

   address = c_null_ptr
   if (size(values) > 0) address = c_loc(values)
   call get_bytes(self, name, kind_real64, shape(values), address, error)
end subroutine get_real_1


subroutine get_real_2(self, name, values, error)
   type(checkpoint_type), intent(in) :: self
   character(len=*), intent(in) :: name
   real(dp), intent(inout), contiguous, target :: values(:, :)
   type(error_type), allocatable, intent(out) :: error
   type(c_ptr) :: address

   address = c_null_ptr
   if (size(values) > 0) address = c_loc(values)
   call get_bytes(self, name, kind_real64, shape(values), address, error)
end subroutine get_real_2


subroutine get_int_0(self, name, value, error)
   type(checkpoint_type), intent(in) :: self
   character(len=*), intent(in) :: name
   integer(i4), intent(inout), target :: value
   type(error_type), allocatable, intent(out) :: error
   type(c_ptr) :: address

   address = c_loc(value)
   call get_bytes(self, name, kind_int32, [integer ::], address, error)
end subroutine get_int_0


subroutine get_int_1(self, name, values, error)
   type(checkpoint_type), intent(in) :: self
   character(len=*), intent(in) :: name
   integer(i4), intent(inout), contiguous, target :: values(:)
   type(error_type), allocatable, intent(out) :: error
   type(c_ptr) :: address

   address = c_null_ptr
   if (size(values) > 0) address = c_loc(values)
   call get_bytes(self, name, kind_int32, shape(values), address, error)
end subroutine get_int_1


subroutine get_int_2(self, name, values, error)
   type(checkpoint_type), intent(in) :: self
   character(len=*), intent(in) :: name
   integer(i4), intent(inout), contiguous, target :: values(:, :)
   type(error_type), allocatable, intent(out) :: error
   type(c_ptr) :: address

   address = c_null_ptr
   if (size(values) > 0) address = c_loc(values)
   call get_bytes(self, name, kind_int32, shape(values), address, error)
end subroutine get_int_2


subroutine get_long_0(self, name, value, error)
   type(checkpoint_type), intent(in) :: self
   character(len=*), intent(in) :: name
   integer(i8), intent(inout), target :: value
   type(error_type), allocatable, intent(out) :: error
   type(c_ptr) :: address

   address = c_loc(value)
   call get_bytes(self, name, kind_int64, [integer ::], address, error)
end subroutine get_long_0


subroutine get_long_1(self, name, values, error)
   type(checkpoint_type), intent(in) :: self
   character(len=*), intent(in) :: name
   integer(i8), intent(inout), contiguous, target :: values(:)
   type(error_type), allocatable, intent(out) :: error
   type(c_ptr) :: address

   address = c_null_ptr
   if (size(values) > 0) address = c_loc(values)
   call get_bytes(self, name, kind_int64, shape(values), address, error)
end subroutine get_long_1


subroutine get_text(self, name, text, error)
   type(checkpoint_type), intent(in) :: self
   character(len=*), intent(in) :: name
   character(len=:), allocatable, intent(out) :: text
   type(error_type), allocatable, intent(out) :: error
   integer :: k

   call check_record(self, name, kind_text, error)
   if (allocated(error)) return
   k = find_record(self, name)
   allocate(character(len=size(self%records(k)%bytes)) :: text)
   text = transfer(self%records(k)%bytes, text)
end subroutine get_text

end module fennix_checkpoint
