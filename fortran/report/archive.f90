! SPDX-License-Identifier: MIT
!> Trajectory in Tinker's .arc: frames of .xyz one after another, box line when periodic, positions folded atom by
!> atom into the cell centred at the origin.
module fennix_archive
   use fennix_kinds, only : dp, i4, i8
   use fennix_error, only : error_type, fatal_error, to_text
   use fennix_files, only : check_size, file_size, path_exists, set_aside, sync_file, truncate_file
   use fennix_cell, only : cell_type, lengths_and_angles
   use fennix_atoms, only : atoms_type
   use fennix_wrap, only : check_orientation, wrap_positions
   implicit none
   private
   public :: archive_type, check_archive, open_archive, write_frame, sync_archive, close_archive, frame_text

   type :: archive_type
      character(len=:), allocatable :: path
      !> Decimals of coordinates: 6 or 8
      integer :: digits = 6
      !> Size of the file after the last complete frame
      integer(i8) :: bytes = 0
      !> Fortran unit, meaningful while is_open
      integer :: unit = -1
      logical :: is_open = .false.
   end type archive_type

contains


!> New file, an earlier one is kept under path.1, path.2, ...; or an existing one cut to its first bytes
subroutine open_archive(self, path, keep_bytes, digits, error)
   type(archive_type), intent(out) :: self
   character(len=*), intent(in) :: path
   !> Bytes to keep of the existing file, -1 = start a new one
   integer(i8), intent(in) :: keep_bytes
   !> Decimals of coordinates: 6 or 8
   integer, intent(in) :: digits
   type(error_type), allocatable, intent(out) :: error
   character(len=256) :: reason
   integer :: status

   self%path = trim(path)
   self%digits = digits
   if (keep_bytes < 0) then
      call set_aside(path, error)
   else
      call cut(path, keep_bytes, error)
      self%bytes = keep_bytes
   end if
   if (allocated(error)) return
   open(newunit=self%unit, file=self%path, access="stream", form="unformatted", action="write", &
      & position="append", iostat=status, iomsg=reason)
   if (status /= 0) then
      call fatal_error(error, "cannot write '" // self%path // "': " // trim(reason))
      return
   end if
   self%is_open = .true.
end subroutine open_archive


!> Drop what was written after the checkpoint
subroutine cut(path, keep_bytes, error)
   character(len=*), intent(in) :: path
   integer(i8), intent(in) :: keep_bytes
   type(error_type), allocatable, intent(out) :: error

   call check_archive(path, keep_bytes, error)
   if (allocated(error)) return
   if (path_exists(path)) call truncate_file(path, keep_bytes, error)
end subroutine cut


!> Refuse to continue a file that lacks what must be kept of it
subroutine check_archive(path, keep_bytes, error)
   character(len=*), intent(in) :: path
   !> None when negative
   integer(i8), intent(in) :: keep_bytes
   type(error_type), allocatable, intent(out) :: error

   if (file_size(path) >= keep_bytes) return
   if (path_exists(path)) then
      call fatal_error(error, "cannot continue '" // trim(path) // "': it has " // to_text(file_size(path)) &
         & // " bytes, the checkpoint expects " // to_text(keep_bytes))
   else if (keep_bytes > 0) then
      call fatal_error(error, "cannot continue '" // trim(path) // "': the file is gone, the " &
         & // "checkpoint expects " // to_text(keep_bytes) // " bytes of it")
   end if
end subroutine check_archive


!> Append one frame and hand it to the system; sync_archive forces it to disk
subroutine write_frame(self, atoms, cell, title, error)
   type(archive_type), intent(inout) :: self
   type(atoms_type), intent(in) :: atoms
   type(cell_type), intent(in) :: cell
   !> Goes into the first line of the frame
   character(len=*), intent(in) :: title
   type(error_type), allocatable, intent(out) :: error
   character(len=:), allocatable :: text
   character(len=256) :: reason
   integer :: status

   call check_orientation(cell, error)
   if (allocated(error)) return
   text = frame_text(atoms, cell, title, self%digits)
   write(self%unit, iostat=status, iomsg=reason) text
   if (status /= 0) then
      call fatal_error(error, "cannot write '" // self%path // "': " // trim(reason))
      return
   end if
   flush(self%unit)
   call check_size(self%path, self%bytes + len(text, i8), error)
   if (.not. allocated(error)) self%bytes = self%bytes + len(text, i8)
end subroutine write_frame


!> Force all frames to disk, as before a checkpoint that counts on them
subroutine sync_archive(self, error)
   type(archive_type), intent(in) :: self
   type(error_type), allocatable, intent(out) :: error

   if (self%is_open) call sync_file(self%path, error)
end subroutine sync_archive


!> Close the file; nothing happens when it is not open
subroutine close_archive(self)
   type(archive_type), intent(inout) :: self

   if (self%is_open) close(self%unit)
   self%is_open = .false.
end subroutine close_archive


!> One frame as text, the same as a Tinker .xyz file
function frame_text(atoms, cell, title, digits) result(text)
   type(atoms_type), intent(in) :: atoms
   type(cell_type), intent(in) :: cell
   character(len=*), intent(in) :: title
   !> Decimals of coordinates: 6 or 8
   integer, intent(in) :: digits
   character(len=:), allocatable :: text
   real(dp), allocatable :: folded(:, :)
   integer(i4), allocatable :: image(:, :)
   character(len=:), allocatable :: line, buffer
   character(len=24) :: number_format, coordinate_format
   integer :: iat, used, name_width

   allocate(folded(3, atoms%n), image(3, atoms%n))
   call wrap_positions(cell, atoms%position, folded, image)
   call choose_formats(atoms%n, folded, digits, number_format, coordinate_format)
   name_width = max(3, maxval(len_trim(atoms%name)))

   line = head(atoms%n, title, number_format)
   if (cell%periodic) line = line // box_line(cell)
   allocate(character(len=len(line) + atoms%n*128) :: buffer)
   buffer(1:len(line)) = line
   used = len(line)
   do iat = 1, atoms%n
      line = atom_line(atoms, iat, folded(:, iat), name_width, number_format, coordinate_format)
      if (used + len(line) > len(buffer)) buffer = buffer // repeat(" ", len(buffer))
      buffer(used + 1:used + len(line)) = line
      used = used + len(line)
   end do
   text = buffer(1:used)
end function frame_text


!> Tinker's widths, widened where a number would not fit
subroutine choose_formats(n, position, digits, number_format, coordinate_format)
   integer, intent(in) :: n
   !> Å, (3, n)
   real(dp), intent(in) :: position(:, :)
   integer, intent(in) :: digits
   !> For "i0"-like indices and for one coordinate triple
   character(len=*), intent(out) :: number_format, coordinate_format
   integer :: width, decimals

   decimals = merge(6, 8, digits <= 6)
   width = decimals + 6
   if (maxval(abs(position)) >= 1000.0_dp) width = decimals + 12
   write(coordinate_format, "(a, i0, a, i0, a)") "(3f", width, ".", decimals, ")"
   width = 6
   if (n >= 100000) width = 7
   if (n >= 1000000) width = 9
   write(number_format, "(a, i0, a)") "(i", width, ")"
end subroutine choose_formats


!> "   648  title"
function head(n, title, number_format) result(line)
   integer, intent(in) :: n
   character(len=*), intent(in) :: title, number_format
   character(len=:), allocatable :: line
   character(len=16) :: number

   write(number, number_format) n
   line = trim(number) // "  " // trim(title) // new_line("a")
end function head


!> Lengths and angles in Tinker's second line
function box_line(cell) result(line)
   type(cell_type), intent(in) :: cell
   character(len=:), allocatable :: line
   real(dp) :: lengths(3), angles(3)
   character(len=80) :: buffer

   call lengths_and_angles(cell, lengths, angles)
   write(buffer, "(1x, 6f12.6)") lengths, angles
   line = trim(buffer) // new_line("a")
end function box_line


!> "     1  O      8.679662    7.087692   -0.696862     1     2     3"
function atom_line(atoms, iat, position, name_width, number_format, coordinate_format) result(line)
   type(atoms_type), intent(in) :: atoms
   integer, intent(in) :: iat
   !> Å
   real(dp), intent(in) :: position(3)
   integer, intent(in) :: name_width
   character(len=*), intent(in) :: number_format, coordinate_format
   character(len=:), allocatable :: line
   character(len=16) :: number
   character(len=96) :: triple

   write(number, number_format) iat
   line = trim(number) // "  " // atoms%name(iat)(1:name_width)
   write(triple, coordinate_format) position
   line = line // trim(triple)
   write(number, "(i6)") atoms%kind(iat)
   line = line // trim(number)
   if (allocated(atoms%bond_first)) line = line // bond_text(atoms, iat, number_format)
   line = line // new_line("a")
end function atom_line


!> Partners of an atom
function bond_text(atoms, iat, number_format) result(text)
   type(atoms_type), intent(in) :: atoms
   integer, intent(in) :: iat
   character(len=*), intent(in) :: number_format
   character(len=:), allocatable :: text
   character(len=16) :: number
   integer :: k

   text = ""
   do k = atoms%bond_first(iat), atoms%bond_first(iat + 1) - 1
      write(number, number_format) atoms%bond(k)
      text = text // trim(number)
   end do
end function bond_text

end module fennix_archive
