! SPDX-License-Identifier: MIT
!> Values in a row of bytes: the same list of calls packs and unpacks.
module fennix_pipe
   use, intrinsic :: iso_fortran_env, only : int8
   use fennix_kinds, only : dp, i8
   use fennix_strings, only : string_type
   implicit none
   private
   public :: pipe_type, new_writer, new_reader, get_packed, pass, pass_fixed

   !> A row of bytes and a place in it
   type :: pipe_type
      !> pass takes values in; otherwise it gives them out
      logical :: writing = .false.
      !> A reader was asked for more than it holds; nothing passes from then on
      logical :: exhausted = .false.
      !> The row; a writer's is longer than what was written, see get_packed
      integer(int8), allocatable :: bytes(:)
      !> Bytes written or read so far
      integer(i8) :: position = 0
   end type pipe_type

   !> The same for the numbers of an array whose size is known to both sides
   interface pass_fixed
      module procedure :: pass_fixed_real
      module procedure :: pass_fixed_integer
   end interface pass_fixed

   !> Take a value in or give it out. What is not allocated comes back so, arrays come back counted from 1, and what
   !> an exhausted reader cannot give stays as it was
   interface pass
      module procedure :: pass_logical
      module procedure :: pass_integer
      module procedure :: pass_int64
      module procedure :: pass_real
      module procedure :: pass_text
      module procedure :: pass_integers
      module procedure :: pass_reals
      module procedure :: pass_reals2
      module procedure :: pass_strings
   end interface pass

   !> Bytes of one number, and of the number before each text
   integer, parameter :: bytes_i4 = 4, bytes_i8 = 8, bytes_dp = 8
   !> Bytes of a new row
   integer(i8), parameter :: first_capacity = 1024
   !> Stands for the extents of what is not allocated
   integer(i8), parameter :: nothing = -1
   !> What transfer turns values into
   integer(int8), parameter :: byte(1) = 0_int8

contains


!> An empty row that takes values in
pure subroutine new_writer(self)
   type(pipe_type), intent(out) :: self

   self%writing = .true.
   allocate(self%bytes(first_capacity))
end subroutine new_writer


!> A row that gives values out, from its beginning
pure subroutine new_reader(self, bytes)
   type(pipe_type), intent(out) :: self
   !> What get_packed gave; moved out
   integer(int8), allocatable, intent(inout) :: bytes(:)

   call move_alloc(bytes, self%bytes)
   if (.not. allocated(self%bytes)) allocate(self%bytes(0))
end subroutine new_reader


!> Exactly the bytes that were written
pure subroutine get_packed(self, bytes)
   type(pipe_type), intent(in) :: self
   integer(int8), allocatable, intent(out) :: bytes(:)

   allocate(bytes(self%position), source=self%bytes(:self%position))
end subroutine get_packed


pure subroutine pass_logical(self, value)
   type(pipe_type), intent(inout) :: self
   logical, intent(inout) :: value
   integer(int8) :: bytes(1)

   bytes = merge(1_int8, 0_int8, value)
   call pass_bytes(self, bytes)
   value = bytes(1) /= 0_int8
end subroutine pass_logical


pure subroutine pass_integer(self, value)
   type(pipe_type), intent(inout) :: self
   integer, intent(inout) :: value
   integer(int8) :: bytes(bytes_i4)

   bytes = transfer(value, bytes)
   call pass_bytes(self, bytes)
   value = transfer(bytes, value)
end subroutine pass_integer


pure subroutine pass_int64(self, value)
   type(pipe_type), intent(inout) :: self
   integer(i8), intent(inout) :: value
   integer(int8) :: bytes(bytes_i8)

   bytes = transfer(value, bytes)
   call pass_bytes(self, bytes)
   value = transfer(bytes, value)
end subroutine pass_int64


pure subroutine pass_real(self, value)
   type(pipe_type), intent(inout) :: self
   real(dp), intent(inout) :: value
   integer(int8) :: bytes(bytes_dp)

   bytes = transfer(value, bytes)
   call pass_bytes(self, bytes)
   value = transfer(bytes, value)
end subroutine pass_real


!> An array whose size both sides know, (n); its size is not in the row
pure subroutine pass_fixed_real(self, values)
   type(pipe_type), intent(inout) :: self
   real(dp), intent(inout) :: values(:)
   integer :: k

   do k = 1, size(values)
      call pass_real(self, values(k))
   end do
end subroutine pass_fixed_real


pure subroutine pass_fixed_integer(self, values)
   type(pipe_type), intent(inout) :: self
   integer, intent(inout) :: values(:)
   integer :: k

   do k = 1, size(values)
      call pass_integer(self, values(k))
   end do
end subroutine pass_fixed_integer


pure subroutine pass_text(self, value)
   type(pipe_type), intent(inout) :: self
   character(len=:), allocatable, intent(inout) :: value
   integer(int8), allocatable :: bytes(:)
   integer(i8) :: n(1)

   n = nothing
   if (allocated(value)) n = len(value, kind=i8)
   call pass_extents(self, n, 1)
   if (self%exhausted) return
   if (self%writing) then
      if (n(1) > 0) call append_bytes(self, transfer(value, byte))
      return
   end if
   if (allocated(value)) deallocate(value)
   if (n(1) < 0) return
   allocate(character(len=n(1)) :: value)
   if (n(1) == 0) return
   allocate(bytes(n(1)))
   call pass_bytes(self, bytes)
   value = transfer(bytes, value)
end subroutine pass_text


!> Whole numbers, (n)
pure subroutine pass_integers(self, values)
   type(pipe_type), intent(inout) :: self
   integer, allocatable, intent(inout) :: values(:)
   integer(i8) :: n(1), k

   n = nothing
   if (allocated(values)) n = shape(values, kind=i8)
   call pass_extents(self, n, bytes_i4)
   if (self%exhausted) return
   if (.not. self%writing) then
      if (allocated(values)) deallocate(values)
      if (n(1) >= 0) allocate(values(n(1)))
   end if
   if (.not. allocated(values)) return
   do k = lbound(values, 1, kind=i8), ubound(values, 1, kind=i8)
      call pass_integer(self, values(k))
   end do
end subroutine pass_integers


!> Real numbers, (n)
pure subroutine pass_reals(self, values)
   type(pipe_type), intent(inout) :: self
   real(dp), allocatable, intent(inout) :: values(:)
   integer(i8) :: n(1)

   n = nothing
   if (allocated(values)) n = shape(values, kind=i8)
   call pass_extents(self, n, bytes_dp)
   if (self%exhausted) return
   if (.not. self%writing) then
      if (allocated(values)) deallocate(values)
      if (n(1) >= 0) allocate(values(n(1)))
   end if
   if (allocated(values)) call pass_fixed(self, values)
end subroutine pass_reals


!> Real numbers, (m, n)
pure subroutine pass_reals2(self, values)
   type(pipe_type), intent(inout) :: self
   real(dp), allocatable, intent(inout) :: values(:, :)
   integer(i8) :: extents(2), k

   extents = nothing
   if (allocated(values)) extents = shape(values, kind=i8)
   call pass_extents(self, extents, bytes_dp)
   if (self%exhausted) return
   if (.not. self%writing) then
      if (allocated(values)) deallocate(values)
      if (extents(1) >= 0) allocate(values(extents(1), extents(2)))
   end if
   if (.not. allocated(values)) return
   do k = lbound(values, 2, kind=i8), ubound(values, 2, kind=i8)
      call pass_fixed(self, values(:, k))
   end do
end subroutine pass_reals2


!> Texts, (n)
pure subroutine pass_strings(self, values)
   type(pipe_type), intent(inout) :: self
   type(string_type), allocatable, intent(inout) :: values(:)
   type(string_type), allocatable :: found(:)
   integer(i8) :: n(1), k

   n = nothing
   if (allocated(values)) n = shape(values, kind=i8)
   call pass_extents(self, n, bytes_i8)
   if (self%exhausted) return
   if (self%writing) then
      if (n(1) < 0) return
      do k = lbound(values, 1, kind=i8), ubound(values, 1, kind=i8)
         call pass_text(self, values(k)%text)
      end do
      return
   end if
   if (n(1) >= 0) allocate(found(n(1)))
   do k = 1, n(1)
      call pass_text(self, found(k)%text)
   end do
   if (self%exhausted) return
   if (allocated(values)) deallocate(values)
   if (allocated(found)) call move_alloc(found, values)
end subroutine pass_strings


!> The extents of an array or text; a reader that has no bytes for as many elements is exhausted before any is allocated
pure subroutine pass_extents(self, extents, element_bytes)
   type(pipe_type), intent(inout) :: self
   !> Number of elements in each direction, all of them nothing when there is no array
   integer(i8), intent(inout) :: extents(:)
   !> Least bytes of one element in the row
   integer, intent(in) :: element_bytes
   integer :: k

   do k = 1, size(extents)
      call pass_int64(self, extents(k))
   end do
   if (self%writing .or. self%exhausted .or. any(extents < 0)) return
   self%exhausted = product(real(extents, dp))*element_bytes > real(size(self%bytes, kind=i8) - self%position, dp)
end subroutine pass_extents


!> Bytes into the row or out of it
pure subroutine pass_bytes(self, bytes)
   type(pipe_type), intent(inout) :: self
   !> As they were when the reader is exhausted
   integer(int8), intent(inout) :: bytes(:)
   integer(i8) :: last

   if (self%writing) then
      call append_bytes(self, bytes)
      return
   end if
   last = self%position + size(bytes, kind=i8)
   self%exhausted = self%exhausted .or. last > size(self%bytes, kind=i8)
   if (self%exhausted) return
   bytes = self%bytes(self%position + 1:last)
   self%position = last
end subroutine pass_bytes


!> Bytes at the end of the row, which doubles when it is full
pure subroutine append_bytes(self, bytes)
   type(pipe_type), intent(inout) :: self
   integer(int8), intent(in) :: bytes(:)
   integer(int8), allocatable :: longer(:)
   integer(i8) :: last, capacity

   last = self%position + size(bytes, kind=i8)
   capacity = size(self%bytes, kind=i8)
   if (last > capacity) then
      do while (capacity < last)
         capacity = 2*capacity
      end do
      allocate(longer(capacity))
      longer(:self%position) = self%bytes(:self%position)
      call move_alloc(longer, self%bytes)
   end if
   self%bytes(self%position + 1:last) = bytes
   self%position = last
end subroutine append_bytes

end module fennix_pipe
