! SPDX-License-Identifier: MIT
!> The CRC-32 of zip and PNG (polynomial 04C11DB7, reflected), to notice damaged records.
module fennix_crc32
   use, intrinsic :: iso_fortran_env, only : int8
   use fennix_kinds, only : i4
   implicit none
   private
   public :: crc32

   !> The polynomial EDB88320 as a signed number
   integer(i4), parameter :: polynomial = -306674912_i4
   !> Initial and final complement
   integer(i4), parameter :: ones = -1_i4

contains


!> Checksum of bytes; pass the checksum of what went before to continue it
pure function crc32(bytes, before) result(crc)
   integer(int8), intent(in) :: bytes(:)
   integer(i4), intent(in), optional :: before
   integer(i4) :: crc
   integer(i4) :: table(0:255)
   integer :: k

   table = make_table()
   crc = ones
   if (present(before)) crc = not(before)
   do k = 1, size(bytes)
      crc = ieor(shiftr(crc, 8), table(iand(ieor(crc, int(bytes(k), i4)), 255_i4)))
   end do
   crc = not(crc)
end function crc32


!> Effect of each byte
pure function make_table() result(table)
   integer(i4) :: table(0:255)
   integer(i4) :: entry
   integer :: byte, bit

   do byte = 0, 255
      entry = int(byte, i4)
      do bit = 1, 8
         entry = merge(ieor(shiftr(entry, 1), polynomial), shiftr(entry, 1), btest(entry, 0))
      end do
      table(byte) = entry
   end do
end function make_table

end module fennix_crc32
