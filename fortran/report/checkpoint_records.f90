! SPDX-License-Identifier: MIT
!> Named records of raw bytes, of which an exact restart consists.
module fennix_checkpoint_records
   use, intrinsic :: iso_c_binding, only : c_f_pointer, c_ptr
   use, intrinsic :: iso_fortran_env, only : int8
   use fennix_kinds, only : dp, i4, i8
   use fennix_error, only : error_type, fatal_error, to_text
   implicit none
   private
   public :: checkpoint_type, record_type, has_record, record_shape, add_record, put_bytes, get_bytes
   public :: find_record, check_record
   public :: kind_real64, kind_int32, kind_int64, kind_text, kind_bytes

   !> Codes of the kinds in the file
   integer(i4), parameter :: kind_real64 = 1_i4, kind_int32 = 2_i4, kind_int64 = 3_i4, kind_text = 4_i4
   !> Bytes of one element, by kind code
   integer, parameter :: kind_bytes(4) = [8, 4, 8, 1]

   type :: record_type
      character(len=:), allocatable :: name
      !> One of kind_*
      integer(i4) :: kind = 0
      integer(i4) :: rank = 0
      !> 1 beyond the rank
      integer(i8) :: shape(2) = 1
      !> The numbers as they lie in memory
      integer(int8), allocatable :: bytes(:)
   end type record_type

   type :: checkpoint_type
      !> File it was loaded from, for messages
      character(len=:), allocatable :: path
      integer :: n_records = 0
      !> Capacity; the first n_records count
      type(record_type), allocatable :: records(:)
   end type checkpoint_type

contains


!> There is a record of this name
pure function has_record(self, name)
   type(checkpoint_type), intent(in) :: self
   character(len=*), intent(in) :: name
   logical :: has_record

   has_record = find_record(self, name) > 0
end function has_record


!> Shape of a record, (rank); empty for a scalar and for a record that is not there
pure function record_shape(self, name)
   type(checkpoint_type), intent(in) :: self
   character(len=*), intent(in) :: name
   integer, allocatable :: record_shape(:)
   integer :: k

   k = find_record(self, name)
   allocate(record_shape(0))
   if (k > 0) record_shape = int(self%records(k)%shape(:self%records(k)%rank))
end function record_shape


!> Place of a record, 0 when there is none
pure function find_record(self, name) result(place)
   type(checkpoint_type), intent(in) :: self
   character(len=*), intent(in) :: name
   integer :: place

   do place = self%n_records, 1, -1
      if (self%records(place)%name == name) return
   end do
   place = 0
end function find_record


!> Add a record, or replace the one of the same name
subroutine add_record(self, record)
   type(checkpoint_type), intent(inout) :: self
   !> Its bytes are moved out
   type(record_type), intent(inout) :: record
   integer :: place

   place = find_record(self, record%name)
   if (place == 0) then
      call make_room(self)
      self%n_records = self%n_records + 1
      place = self%n_records
   end if
   call move_record(record, self%records(place))
end subroutine add_record


!> Capacity for one more
subroutine make_room(self)
   type(checkpoint_type), intent(inout) :: self
   type(record_type), allocatable :: larger(:)
   integer :: k

   if (.not. allocated(self%records)) allocate(self%records(32))
   if (self%n_records < size(self%records)) return
   allocate(larger(2*size(self%records)))
   do k = 1, self%n_records
      call move_record(self%records(k), larger(k))
   end do
   call move_alloc(larger, self%records)
end subroutine make_room


subroutine move_record(from, to)
   type(record_type), intent(inout) :: from
   type(record_type), intent(inout) :: to

   to%name = from%name
   to%kind = from%kind
   to%rank = from%rank
   to%shape = from%shape
   call move_alloc(from%bytes, to%bytes)
end subroutine move_record


!> Store the bytes at an address
subroutine put_bytes(self, name, kind, extents, address)
   type(checkpoint_type), intent(inout) :: self
   character(len=*), intent(in) :: name
   integer(i4), intent(in) :: kind
   !> Shape of the value, (rank)
   integer, intent(in) :: extents(:)
   !> Null when it is empty
   type(c_ptr), intent(in) :: address
   type(record_type) :: record
   integer(int8), pointer :: view(:)
   integer(i8) :: n_bytes

   record%name = trim(name)
   record%kind = kind
   record%rank = size(extents, kind=i4)
   record%shape(:size(extents)) = extents
   n_bytes = product(record%shape)*kind_bytes(kind)
   allocate(record%bytes(n_bytes))
   if (n_bytes > 0) then
      call c_f_pointer(address, view, [n_bytes])
      record%bytes = view
   end if
   call add_record(self, record)
end subroutine put_bytes


!> Copy a record to an address, if its kind and shape are these
subroutine get_bytes(self, name, kind, extents, address, error)
   type(checkpoint_type), intent(in) :: self
   character(len=*), intent(in) :: name
   integer(i4), intent(in) :: kind
   !> Shape expected, (rank)
   integer, intent(in) :: extents(:)
   !> Null when it is empty
   type(c_ptr), intent(in) :: address
   type(error_type), allocatable, intent(out) :: error
   integer(int8), pointer :: view(:)
   integer :: k

   call check_record(self, name, kind, error)
   if (allocated(error)) return
   k = find_record(self, name)
   if (shape_text(record_shape(self, name)) /= shape_text(extents)) then
      call fatal_error(error, "'" // source(self) // "': record '" // name // "' is " &
         & // shape_text(record_shape(self, name)) // ", this run needs " // shape_text(extents))
      return
   end if
   if (size(self%records(k)%bytes) == 0) return
   call c_f_pointer(address, view, [size(self%records(k)%bytes)])
   view = self%records(k)%bytes
end subroutine get_bytes


!> Fails when there is no record of this name and kind
subroutine check_record(self, name, kind, error)
   type(checkpoint_type), intent(in) :: self
   character(len=*), intent(in) :: name
   integer(i4), intent(in) :: kind
   type(error_type), allocatable, intent(out) :: error
   integer :: k

   k = find_record(self, name)
   if (k == 0) then
      call fatal_error(error, "'" // source(self) // "' has no record '" // name // "': another version wrote it")
   else if (self%records(k)%kind /= kind) then
      call fatal_error(error, "'" // source(self) // "': record '" // name // "' has another kind of numbers than " &
         & // "expected: another version wrote it")
   end if
end subroutine check_record


!> File for messages
pure function source(self)
   type(checkpoint_type), intent(in) :: self
   character(len=:), allocatable :: source

   source = "the checkpoint"
   if (allocated(self%path)) source = self%path
end function source


!> "a single value", "648 long" or "3 x 648"
pure function shape_text(extents) result(text)
   integer, intent(in) :: extents(:)
   character(len=:), allocatable :: text

   select case (size(extents))
   case (0)
      text = "a single value"
   case (1)
      text = to_text(extents(1)) // " long"
   case default
      text = to_text(extents(1)) // " x " // to_text(extents(2))
   end select
end function shape_text

end module fennix_checkpoint_records
