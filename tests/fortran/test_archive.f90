! SPDX-License-Identifier: MIT
!> Tinker's .arc: exact columns, folding, and a continuation without a missing or doubled frame.
module test_archive
   use fennix_kinds, only : dp, i4, i8
   use fennix_error, only : error_type, fatal_error
   use fennix_files, only : file_size, path_exists
   use fennix_cell, only : cell_type, new_cell, new_cell_from_vectors, open_cell
   use fennix_atoms, only : atoms_type
   use fennix_archive_scan, only : find_frames
   use fennix_archive, only : archive_type, close_archive, frame_text, open_archive, sync_archive, write_frame
   use fennix_wrap, only : wrap_positions
   use report_samples, only : fail_if, cubic, file_text, remove, water, write_text
   implicit none
   private
   public :: test_archive_columns, test_archive_wide, test_archive_continues, test_archive_sets_aside, &
      & test_archive_refuses, test_wrap_triclinic, test_archive_orientation, test_archive_scan

   character(len=*), parameter :: path = "test_archive.arc"

contains


!> The columns of Tinker's own files
subroutine test_archive_columns(error)
   type(error_type), allocatable, intent(out) :: error
   character(len=:), allocatable :: text, expected
   character(len=1), parameter :: nl = new_line("a")

   expected = "     3  one water" // nl &
      & // "    18.643000   18.643000   18.643000   90.000000   90.000000   90.000000" // nl &
      & // "     1  O      8.679662    7.087692   -0.696862     1     2     3" // nl &
      & // "     2  H     -9.006138    7.087692   -0.696862     2     1" // nl &
      & // "     3  H      8.439682    8.014322   -0.696862     2     1" // nl
   text = frame_text(water([8.679662_dp, 7.087692_dp, -0.696862_dp]), cubic(18.643_dp), "one water", 6)
   call fail_if(text /= expected .or. len(text) /= len(expected), "not Tinker's columns:" // nl // text, error)

   text = frame_text(water([8.679662_dp, 7.087692_dp, -0.696862_dp]), open_cell(), "one water", 8)
   call fail_if(index(text, "     2  H      9.63686200    7.08769200   -0.69686200     2     1" // nl) == 0, &
      & "not Tinker's columns with 8 digits, or folded without a cell:" // nl // text, error)
end subroutine test_archive_columns


!> Nothing runs together: far positions, long names, many atoms, no bonds
subroutine test_archive_wide(error)
   type(error_type), allocatable, intent(out) :: error
   type(atoms_type) :: atoms
   character(len=:), allocatable :: text, name
   integer, parameter :: n = 100001
   integer :: begin, number, kind, status
   real(dp) :: position(3)

   atoms%n = n
   atoms%name = spread("CARBON12", 1, n)
   allocate(atoms%kind(n), source=401)
   allocate(atoms%position(3, n))
   atoms%position = -123456.125_dp
   text = frame_text(atoms, open_cell(), "many", 6)
   begin = index(text(:len(text) - 1), new_line("a"), back=.true.) + 1
   allocate(character(len=8) :: name)
   read(text(begin:), *, iostat=status) number, name, position, kind
   call fail_if(status /= 0 .or. number /= n .or. name /= "CARBON12" .or. kind /= 401 &
      & .or. any(abs(position + 123456.125_dp) > 1.0e-6_dp), "the last line reads: " // text(begin:), error)
end subroutine test_archive_wide


!> Whole frames are counted, a torn one is not, other atoms are told apart
subroutine test_archive_scan(error)
   type(error_type), allocatable, intent(out) :: error
   character(len=:), allocatable :: frame
   integer(i8) :: n_frames, bytes
   integer :: kind

   do kind = 1, 2
      frame = frame_text(water([1.0_dp, 2.0_dp, 3.0_dp]), cubic(18.643_dp), "box", 6)
      if (kind == 2) frame = frame_text(water([1.0_dp, 2.0_dp, 3.0_dp]), open_cell(), "no box", 6)
      call write_text(path, frame // frame // frame(:len(frame) - 1))
      call find_frames(path, 3, -1_i8, n_frames, bytes, error)
      if (allocated(error)) return
      call fail_if(n_frames /= 2 .or. bytes /= 2*len(frame), "a last line without its end", error)
      call write_text(path, frame // frame // frame(:len(frame)/2))
      call find_frames(path, 3, -1_i8, n_frames, bytes, error)
      if (allocated(error)) return
      call fail_if(n_frames /= 2 .or. bytes /= 2*len(frame), "half a frame", error)
      call find_frames(path, 3, 1_i8, n_frames, bytes, error)
      if (allocated(error)) return
      call fail_if(n_frames /= 1 .or. bytes /= len(frame), "no more than asked for", error)
      call find_frames(path, 4, -1_i8, n_frames, bytes, error)
      if (allocated(error)) return
      call fail_if(n_frames /= -1, "other atoms", error)
      call write_text(path, frame(:5))
      call find_frames(path, 3, -1_i8, n_frames, bytes, error)
      if (allocated(error)) return
      call fail_if(n_frames /= 0 .or. bytes /= 0, "a torn first line", error)
   end do
   call remove(path)
end subroutine test_archive_scan


!> Cut back to the first frame and written again, the file is the same byte for byte
subroutine test_archive_continues(error)
   type(error_type), allocatable, intent(out) :: error
   type(archive_type) :: archive
   type(cell_type) :: cell
   integer(i8) :: kept
   character(len=:), allocatable :: uninterrupted

   call remove(path)
   cell = cubic(18.643_dp)
   call open_archive(archive, path, -1_i8, 6, error)
   if (.not. allocated(error)) call write_frame(archive, water([1.0_dp, 2.0_dp, 3.0_dp]), cell, "first", error)
   kept = archive%bytes
   if (.not. allocated(error)) call write_frame(archive, water([2.0_dp, 3.0_dp, 4.0_dp]), cell, "second", error)
   if (.not. allocated(error)) call sync_archive(archive, error)
   if (allocated(error)) return
   call fail_if(archive%bytes /= file_size(path), "the size of the file is not the size counted", error)
   call close_archive(archive)
   uninterrupted = file_text(path)

   if (.not. allocated(error)) call open_archive(archive, path, kept, 6, error)
   if (allocated(error)) return
   call fail_if(file_size(path) /= kept, "the file was not cut", error)
   if (.not. allocated(error)) call write_frame(archive, water([2.0_dp, 3.0_dp, 4.0_dp]), cell, "second", error)
   call close_archive(archive)
   if (allocated(error)) return
   call fail_if(file_text(path) /= uninterrupted, "the continued file differs from the uninterrupted one", error)
   call remove(path)
end subroutine test_archive_continues


!> A new file does not overwrite an earlier one
subroutine test_archive_sets_aside(error)
   type(error_type), allocatable, intent(out) :: error
   type(archive_type) :: archive
   integer :: k

   call remove(path)
   do k = 1, 3
      call open_archive(archive, path, -1_i8, 6, error)
      if (allocated(error)) return
      call write_frame(archive, water(spread(real(k, dp), 1, 3)), open_cell(), "run " // achar(48 + k), error)
      call close_archive(archive)
      if (allocated(error)) return
   end do
   call fail_if(index(file_text(path // ".1"), "run 1") == 0 .or. index(file_text(path // ".2"), "run 2") == 0 &
      & .or. index(file_text(path), "run 3") == 0, "earlier files were not kept as .1 and .2", error)
   call remove(path)
end subroutine test_archive_sets_aside


!> A file shorter than the checkpoint says, or gone, is an error that leaves it alone
subroutine test_archive_refuses(error)
   type(error_type), allocatable, intent(out) :: error
   type(error_type), allocatable :: expected
   type(archive_type) :: archive

   call remove(path)
   call open_archive(archive, path, 100_i8, 6, expected)
   call fail_if(.not. allocated(expected), "a file that is gone was continued", error)
   call fail_if(path_exists(path), "a file that is gone was created", error)
   call open_archive(archive, path, 0_i8, 6, expected)
   call fail_if(allocated(expected), "a file without frames could not be continued", error)
   call write_frame(archive, water([0.0_dp, 0.0_dp, 0.0_dp]), open_cell(), "short", expected)
   call close_archive(archive)
   call open_archive(archive, path, archive%bytes + 1, 6, expected)
   if (.not. allocated(expected)) then
      call fatal_error(error, "a file that is too short was continued")
   else if (index(expected%message, path) == 0) then
      call fatal_error(error, "the message does not name the file: " // expected%message)
   end if
   call remove(path)
   call open_archive(archive, "no/such/folder/a.arc", -1_i8, 6, expected)
   call fail_if(.not. allocated(expected), "a file in a folder that is not there was opened", error)
end subroutine test_archive_refuses


!> Folded atoms lie in the cell, and the images lead back
subroutine test_wrap_triclinic(error)
   type(error_type), allocatable, intent(out) :: error
   type(cell_type) :: cell
   real(dp) :: position(3, 200), folded(3, 200), fractional(3)
   integer(i4) :: image(3, 200)
   integer :: iat

   call new_cell(cell, [10.0_dp, 12.0_dp, 9.0_dp], [80.0_dp, 70.0_dp, 100.0_dp], error)
   if (allocated(error)) return
   call random_init(.true., .false.)
   call random_number(position)
   position = 200.0_dp*(position - 0.5_dp)
   call wrap_positions(cell, position, folded, image)
   do iat = 1, size(position, 2)
      fractional = matmul(cell%inverse, folded(:, iat))
      call fail_if(any(fractional < -0.5_dp - 1.0e-12_dp) .or. any(fractional > 0.5_dp + 1.0e-12_dp), &
         & "a folded atom lies outside of the cell", error)
      call fail_if(any(abs(folded(:, iat) + matmul(cell%vectors, real(image(:, iat), dp)) - position(:, &
         & iat)) > 1.0e-12_dp), "the images do not lead back to the position", error)
   end do
end subroutine test_wrap_triclinic


!> A cell that lengths and angles cannot describe is refused
subroutine test_archive_orientation(error)
   type(error_type), allocatable, intent(out) :: error
   type(error_type), allocatable :: expected
   type(archive_type) :: archive
   type(cell_type) :: cell

   call remove(path)
   call new_cell_from_vectors(cell, reshape([0.0_dp, 9.0_dp, 0.0_dp, 0.0_dp, 0.0_dp, 9.0_dp, 9.0_dp, 0.0_dp, 0.0_dp], &
      & [3, 3]), error)
   if (.not. allocated(error)) call open_archive(archive, path, -1_i8, 6, error)
   if (allocated(error)) return
   call write_frame(archive, water([0.0_dp, 0.0_dp, 0.0_dp]), cell, "turned", expected)
   call fail_if(.not. allocated(expected), "a turned cell was written as lengths and angles", error)
   call close_archive(archive)
   call remove(path)
end subroutine test_archive_orientation

end module test_archive
