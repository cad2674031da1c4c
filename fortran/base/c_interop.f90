! SPDX-License-Identifier: MIT
!> What crosses to C and back: zero-terminated text, addresses as integers.
module fennix_c_interop
   use, intrinsic :: iso_c_binding, only : c_char, c_intptr_t, c_null_char, c_null_ptr, c_ptr
   use fennix_kinds, only : i8
   implicit none
   private
   public :: from_c, to_c, to_pointer, to_address

contains


!> Text up to the terminating zero
pure function from_c(buffer) result(text)
   character(kind=c_char), intent(in) :: buffer(:)
   character(len=:), allocatable :: text
   integer :: i, length

   length = findloc(buffer == c_null_char, .true., dim=1) - 1
   if (length < 0) length = size(buffer)
   allocate(character(len=length) :: text)
   do i = 1, length
      text(i:i) = buffer(i)
   end do
end function from_c


!> Zero-terminated copy
pure function to_c(text) result(buffer)
   character(len=*), intent(in) :: text
   character(kind=c_char) :: buffer(len(text) + 1)
   integer :: i

   do i = 1, len(text)
      buffer(i) = text(i:i)
   end do
   buffer(len(text) + 1) = c_null_char
end function to_c


!> A pointer from its address
pure function to_pointer(address) result(pointer)
   integer(i8), intent(in) :: address
   type(c_ptr) :: pointer

   pointer = transfer(int(address, c_intptr_t), c_null_ptr)
end function to_pointer


!> The address of a pointer
pure function to_address(pointer) result(address)
   type(c_ptr), intent(in) :: pointer
   integer(i8) :: address

   address = int(transfer(pointer, 0_c_intptr_t), i8)
end function to_address

end module fennix_c_interop
