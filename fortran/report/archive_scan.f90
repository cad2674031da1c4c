! SPDX-License-Identifier: MIT
!> Where the frames of a Tinker .arc end: what a start from NAME.dyn may append to.
module fennix_archive_scan
   use, intrinsic :: iso_fortran_env, only : int64
   use fennix_kinds, only : dp, i8
   use fennix_error, only : error_type, fatal_error
   use fennix_files, only : file_size
   implicit none
   private
   public :: find_frames

   !> More of a line need not be looked at
   integer, parameter :: width = 256

contains


!> Complete frames from the beginning of the file, at most so many, and the bytes they take
subroutine find_frames(path, n_atoms, most, n_frames, bytes, error)
   character(len=*), intent(in) :: path
   !> Atoms of each frame
   integer, intent(in) :: n_atoms
   !> Negative = no limit
   integer(i8), intent(in) :: most
   !> A frame of other atoms ends the search: n_frames = -1 when the first one is such
   integer(i8), intent(out) :: n_frames, bytes
   type(error_type), allocatable, intent(out) :: error
   character(len=width) :: reason
   integer(i8) :: last, whole_size
   integer :: unit, status
   logical :: complete, same

   n_frames = 0
   bytes = 0
   whole_size = file_size(path)
   open(newunit=unit, file=path, access="stream", form="formatted", status="old", action="read", iostat=status, &
      & iomsg=reason)
   if (status /= 0) then
      call fatal_error(error, "cannot read '" // path // "': " // trim(reason))
      return
   end if
   same = .true.
   do while (most < 0 .or. n_frames < most)
      call skip_frame(unit, n_atoms, last, complete, same)
      ! A last line without its end is torn, too
      if (.not. complete .or. last > whole_size) exit
      n_frames = n_frames + 1
      bytes = last
   end do
   close(unit)
   if (n_frames == 0 .and. .not. same) n_frames = -1
end subroutine find_frames


!> Read over one frame
subroutine skip_frame(unit, n_atoms, last, complete, same)
   integer, intent(in) :: unit, n_atoms
   !> Bytes of the file up to its end
   integer(i8), intent(out) :: last
   logical, intent(out) :: complete, same
   character(len=width) :: line
   real(dp) :: box(6)
   integer :: n, k, status
   integer(int64) :: position

   last = 0
   complete = .false.
   same = .true.
   read(unit, "(a)", iostat=status) line
   if (status /= 0 .or. len_trim(line) == 0) return
   read(line, *, iostat=status) n
   same = status == 0
   if (same) same = n == n_atoms
   if (.not. same) return
   do k = 1, n_atoms
      read(unit, "(a)", iostat=status) line
      if (status /= 0) return
      if (k > 1) cycle
      read(line, *, iostat=status) box
      ! A box line stands before the first atom, whose second word is no number
      if (status /= 0) cycle
      read(unit, "(a)", iostat=status) line
      if (status /= 0) return
   end do
   inquire(unit=unit, pos=position)
   last = position - 1
   complete = .true.
end subroutine skip_frame

end module fennix_archive_scan
